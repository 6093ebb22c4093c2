

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('campaigns', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Petition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('addressee', models.CharField(blank=True, help_text='For a petition to a group: “mayors who keep libraries open on Sundays”.', max_length=200)),
                ('slug', models.SlugField(error_messages={'unique': 'Another petition has this address. Choose a different one.'}, help_text='The last part of the page’s web address.', max_length=100, unique=True, verbose_name='address')),
                ('headline', models.CharField(blank=True, help_text='Replaces the letter’s headline. Merge fields allowed.', max_length=200)),
                ('local', models.TextField(blank=True, help_text='Markdown, shown where the letter says {{ local }}.', verbose_name='local paragraph')),
                ('goal', models.PositiveIntegerField(blank=True, help_text='Empty: the goal climbs by itself from 100.', null=True, verbose_name='first goal')),
                ('position', models.PositiveIntegerField(default=0, help_text='Order among the next petitions offered after signing; small numbers first.')),
                ('live_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('closes_at', models.DateTimeField(blank=True, null=True, verbose_name='closes by itself at')),
                ('closed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('won_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('closing_note', models.TextField(blank=True, editable=False, max_length=1000)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['position', 'id'],
                'permissions': [('publish_petition', 'Can publish, close, reopen and unpublish petitions')],
            },
        ),
        migrations.CreateModel(
            name='Letter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('demand', 'Demand'), ('thank-you', 'Thank-you')], default='demand', max_length=10)),
                ('headline', models.CharField(help_text='The title of the page. Merge fields allowed: Keep {{ place.name }}’s library open.', max_length=200)),
                ('lead_in', models.CharField(help_text='The line before the statement: The petition to {{ target.office }} {{ target.last_name }} reads:', max_length=300, verbose_name='lead-in')),
                ('statement', models.TextField(help_text='The short text that is signed.', max_length=2000)),
                ('call_to_action', models.CharField(help_text='One line, shown as a link after the letter and wherever a paragraph is only {{ call_to_action }}.', max_length=300, verbose_name='call to action')),
                ('button', models.CharField(default='Sign the petition', max_length=40, verbose_name='button label')),
                ('greeting', models.CharField(default='Dear {{ supporter.first_name|friend }},', max_length=200)),
                ('body', models.TextField(help_text='Markdown. Cite a source with [^key]; a paragraph of only {{ local }} holds the local paragraph.')),
                ('closing', models.CharField(blank=True, help_text='Such as: Thank you for speaking out,', max_length=200, verbose_name='sign-off')),
                ('signed_by', models.CharField(blank=True, help_text='The campaigner who signs the letter.', max_length=120, verbose_name='signed by')),
                ('signed_role', models.CharField(blank=True, help_text='Such as: Campaign Manager', max_length=120, verbose_name='role')),
                ('thanks', models.TextField(blank=True, help_text='What people read after signing. Markdown; the page already says “Thank you” and offers sharing.', verbose_name='thank-you page')),
                ('share_title', models.CharField(blank=True, help_text='How shared links are titled. Empty: the headline.', max_length=200)),
                ('share_text', models.TextField(blank=True, help_text='What shared posts say. Empty: the statement.', max_length=500)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='campaigns.campaign')),
            ],
            options={
                'ordering': ['kind'],
            },
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('petition', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='tally', serialize=False, to='petitions.petition')),
                ('count', models.IntegerField(default=0)),
                ('local', models.IntegerField(default=0)),
            ],
        ),
        migrations.AddField(
            model_name='petition',
            name='letter',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='petitions', to='petitions.letter'),
        ),
        migrations.AddField(
            model_name='petition',
            name='members',
            field=models.ManyToManyField(blank=True, help_text='The targets of a group; may stay empty.', related_name='group_petitions', to='campaigns.target'),
        ),
        migrations.AddField(
            model_name='petition',
            name='target',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='petitions', to='campaigns.target'),
        ),
        migrations.CreateModel(
            name='Version',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('digest', models.CharField(help_text='SHA-256 over everything below.', max_length=64)),
                ('kind', models.CharField(choices=[('demand', 'Demand'), ('thank-you', 'Thank-you')], max_length=10)),
                ('addressee', models.CharField(max_length=300)),
                ('place_name', models.CharField(blank=True, max_length=120)),
                ('headline', models.CharField(max_length=300)),
                ('lead_in_html', models.TextField(blank=True)),
                ('statement_html', models.TextField()),
                ('statement', models.TextField()),
                ('letter_html', models.TextField()),
                ('letter_text', models.TextField()),
                ('notes_html', models.TextField(blank=True)),
                ('notes', models.JSONField(blank=True, default=list)),
                ('call_to_action', models.CharField(max_length=400)),
                ('button', models.CharField(max_length=40)),
                ('thanks_html', models.TextField(blank=True)),
                ('share_title', models.CharField(max_length=300)),
                ('share_text', models.TextField()),
                ('published_at', models.DateTimeField()),
                ('reason', models.TextField(blank=True, help_text='Why a statement that people had signed was changed; public.')),
                ('petition', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='petitions.petition')),
            ],
            options={
                'ordering': ['petition', '-number'],
            },
        ),
    ]
