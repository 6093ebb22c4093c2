

import campaigns.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Organization',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(error_messages={'unique': 'There is already an organization of this name.'}, max_length=120, unique=True)),
                ('parent', models.CharField(blank=True, help_text='Shown after the name, such as “from Readers’ Trust”. Leave empty if there is none.', max_length=160, verbose_name='parent line')),
                ('postal_address', models.TextField(blank=True, help_text='Shown at the foot of pages and mails; the law asks for it in many countries.')),
                ('from_email', models.EmailField(blank=True, help_text='Mails are sent from this address. Empty: the site’s own address is used.', max_length=254, verbose_name='from address')),
                ('reply_to', models.EmailField(blank=True, help_text='Answers to mails go here. Empty: to the from address.', max_length=254, verbose_name='reply-to address')),
                ('privacy_url', campaigns.fields.WebAddressField(blank=True, help_text='Web address of your privacy policy; linked beside every sign form.', max_length=1000, verbose_name='privacy policy')),
                ('accent', models.CharField(blank=True, help_text='Used for buttons and marks, such as #7a1f3d. It is adjusted where text would be hard to read.', max_length=7, validators=[django.core.validators.RegexValidator('^#[0-9a-fA-F]{6}$', 'Write the color as # and six digits, such as #7a1f3d.')], verbose_name='accent color')),
                ('logo', models.BinaryField(blank=True, null=True)),
                ('logo_digest', models.CharField(blank=True, editable=False, max_length=16)),
                ('logo_width', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('logo_height', models.PositiveSmallIntegerField(default=0, editable=False)),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('accent', ''), ('accent__regex', '^#[0-9a-fA-F]{6}$'), _connector='OR'), name='organization_accent_is_hex', violation_error_message='Write the accent color as # and six digits, such as #7a1f3d.')],
            },
        ),
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(error_messages={'unique': 'Another campaign has this address. Choose a different one.'}, help_text='The last part of the campaign page’s web address, such as open-sundays.', max_length=80, unique=True, verbose_name='address')),
                ('title', models.CharField(max_length=160)),
                ('summary', models.TextField(blank=True, help_text='Two or three sentences for the campaign page and the home page.', max_length=1000)),
                ('language', models.CharField(default='en', help_text='The language the letters are written in, such as en or es.', max_length=12, validators=[django.core.validators.RegexValidator('^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$', 'Use a language code such as en, es or pt-BR.')])),
                ('confirmation', models.CharField(choices=[('required', 'Required: a signature counts once it is confirmed by e-mail'), ('afterwards', 'Afterwards: a signature counts at once and is marked until it is confirmed')], default='required', max_length=12, verbose_name='confirming by e-mail')),
                ('asks_postal_code', models.BooleanField(default=False, verbose_name='ask for the postal code')),
                ('asks_country', models.BooleanField(default=False, verbose_name='ask for the country')),
                ('asks_comment', models.BooleanField(default=False, help_text='“Why are you signing?” Always optional.', verbose_name='ask for a comment')),
                ('count_floor', models.PositiveIntegerField(default=0, help_text='No count is shown on a page before it reaches this number.', verbose_name='show counts from')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='campaigns.organization')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Place',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('region', models.CharField(blank=True, max_length=120)),
                ('country', models.CharField(blank=True, max_length=120)),
                ('postal_prefixes', models.TextField(blank=True, help_text='Postal codes of this place, or their beginnings, separated by spaces (941 942 94301). Signers with such a code are counted as local.')),
            ],
            options={
                'ordering': ['name', 'region'],
                'constraints': [models.UniqueConstraint(fields=('name', 'region', 'country'), name='place_is_unique', violation_error_message='This place is already listed.')],
            },
        ),
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='How letters cite it: [^smith-2026].', max_length=60, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9-]*\\Z', 'Use small letters, digits and hyphens, such as smith-2026.')])),
                ('authors', campaigns.fields.AuthorsField(blank=True, default=list, help_text='One author a line, in the order of the publication.')),
                ('title', models.CharField(max_length=400)),
                ('publication', models.CharField(blank=True, max_length=200)),
                ('date', models.DateField(blank=True, null=True)),
                ('url', campaigns.fields.WebAddressField(blank=True, max_length=1000, verbose_name='web address')),
                ('archived_url', campaigns.fields.WebAddressField(blank=True, max_length=1000, verbose_name='archived copy')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='campaigns.campaign')),
            ],
            options={
                'ordering': ['key'],
            },
        ),
        migrations.CreateModel(
            name='Target',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=160)),
                ('last_name', models.CharField(blank=True, help_text='Empty: taken from the name. {{ target.last_name }} in letters.', max_length=120)),
                ('office', models.CharField(default='Mayor', max_length=120)),
                ('salutation', models.CharField(blank=True, help_text='How a letter to them begins, such as “Dear Mayor Okafor”.', max_length=160)),
                ('email', models.EmailField(blank=True, help_text='For handing the signatures over. Never shown in public.', max_length=254, verbose_name='e-mail address')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='targets', to='campaigns.campaign')),
                ('place', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='targets', to='campaigns.place')),
            ],
            options={
                'ordering': ['place__name', 'name'],
            },
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('confirmation__in', ['required', 'afterwards'])), name='campaign_confirmation_is_known'),
        ),
        migrations.AddConstraint(
            model_name='source',
            constraint=models.UniqueConstraint(fields=('campaign', 'key'), name='source_key_once_per_campaign', violation_error_message='This campaign already has a source with this key.'),
        ),
        migrations.AddConstraint(
            model_name='target',
            constraint=models.UniqueConstraint(fields=('campaign', 'name', 'place'), name='target_once_per_campaign', violation_error_message='This campaign already has this target in this place.'),
        ),
    ]
