

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('campaigns', '0001_initial'),
        ('petitions', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Supporter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mailbox', models.CharField(help_text='Canonical key of the address, never used to send.', max_length=320, unique=True)),
                ('email', models.CharField(help_text='As typed; mail goes here.', max_length=320, verbose_name='e-mail address')),
                ('first_name', models.CharField(blank=True, max_length=80)),
                ('last_name', models.CharField(blank=True, max_length=80)),
                ('created_at', models.DateTimeField()),
                ('confirmed_at', models.DateTimeField(blank=True, help_text='When the mailbox was first proven.', null=True)),
                ('blocked_at', models.DateTimeField(blank=True, help_text='No mail and no new signature since.', null=True)),
            ],
        ),
        migrations.CreateModel(
            name='CountChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('petition_id', models.BigIntegerField()),
                ('change', models.SmallIntegerField()),
                ('local_change', models.SmallIntegerField(default=0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('change__in', [-1, 1])), name='count_change_is_one'), models.CheckConstraint(condition=models.Q(('local_change', 0), ('local_change', models.F('change')), _connector='OR'), name='count_change_local_agrees')],
            },
        ),
        migrations.CreateModel(
            name='Signature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('signed_at', models.DateTimeField()),
                ('first_name', models.CharField(max_length=80)),
                ('last_name', models.CharField(max_length=80)),
                ('email', models.CharField(help_text='As typed here.', max_length=320, verbose_name='e-mail address')),
                ('postal_code', models.CharField(blank=True, max_length=20)),
                ('country', models.CharField(blank=True, max_length=2)),
                ('comment', models.TextField(blank=True)),
                ('is_local', models.BooleanField(default=False, help_text='The postal code belongs to the target’s own place.', verbose_name='local')),
                ('updates', models.BooleanField(default=False, help_text='Whether updates were wanted; becomes a consent when confirmed.')),
                ('wording', models.TextField(blank=True)),
                ('referral', models.CharField(blank=True, max_length=16)),
                ('referral_code', models.CharField(max_length=16)),
                ('evidence', models.JSONField(blank=True, default=list)),
                ('confirmed_at', models.DateTimeField(blank=True, help_text='The owner of the mailbox pressed the button.', null=True)),
                ('accepted_at', models.DateTimeField(blank=True, help_text='Counts since.', null=True)),
                ('held_at', models.DateTimeField(blank=True, help_text='Set aside for staff; neither counted nor mailed.', null=True)),
                ('removed_at', models.DateTimeField(blank=True, null=True)),
                ('removal', models.CharField(blank=True, choices=[('not-me', 'Owner of the mailbox: it wasn’t me'), ('staff', 'Staff')], max_length=10)),
                ('petition', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='petitions.petition')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='petitions.version')),
                ('supporter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='signers.supporter')),
            ],
            options={
                'ordering': ['-signed_at', '-id'],
                'permissions': [('remove_signature', 'Can remove and restore signatures'), ('export_signature', 'Can export signatures')],
            },
        ),
        migrations.CreateModel(
            name='Submission',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('petition_id', models.BigIntegerField()),
                ('version_id', models.BigIntegerField()),
                ('received_at', models.DateTimeField()),
                ('first_name', models.CharField(max_length=80)),
                ('last_name', models.CharField(max_length=80)),
                ('email', models.CharField(max_length=320)),
                ('postal_code', models.CharField(blank=True, max_length=20)),
                ('country', models.CharField(blank=True, max_length=2)),
                ('comment', models.TextField(blank=True, max_length=1000)),
                ('updates', models.BooleanField(help_text='Whether updates by e-mail were wanted.')),
                ('wording', models.TextField(help_text='The exact question about updates that was shown.')),
                ('referral', models.CharField(blank=True, help_text='Code of the shared link that led here.', max_length=16)),
                ('referral_code', models.CharField(help_text="Code for this signer's own shared link.", max_length=16)),
                ('evidence', models.JSONField(blank=True, default=list, help_text='What looked odd: honeypot, too-fast, stale-form, forged-form, typo.')),
                ('parked_at', models.DateTimeField(blank=True, null=True)),
                ('parked_reason', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('parked_at', None)), fields=['id'], name='submission_to_fold')],
            },
        ),
        migrations.CreateModel(
            name='OutgoingMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(max_length=60, unique=True)),
                ('message', models.CharField(choices=[('confirm', 'Confirm your signature'), ('already-signed', 'You have already signed')], max_length=20)),
                ('to', models.CharField(max_length=320)),
                ('created_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('last_error', models.CharField(blank=True, max_length=300)),
                ('handed_over_at', models.DateTimeField(blank=True, null=True)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('failed_at', models.DateTimeField(blank=True, null=True)),
                ('dropped_at', models.DateTimeField(blank=True, help_text='No longer wanted when its turn came.', null=True)),
                ('signature', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mails', to='signers.signature')),
                ('supporter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mails', to='signers.supporter')),
            ],
            options={
                'verbose_name': 'outgoing mail',
                'verbose_name_plural': 'outgoing mail',
                'permissions': [('resend_outgoingmail', 'Can send mail in doubt again')],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('updates', 'Updates by e-mail')], max_length=20)),
                ('granted', models.BooleanField()),
                ('wording', models.TextField()),
                ('at', models.DateTimeField()),
                ('source', models.CharField(choices=[('sign-form', 'Sign form, confirmed by e-mail'), ('not-me', '“It wasn’t me” link')], max_length=20, verbose_name='how')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.organization')),
                ('supporter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='signers.supporter')),
            ],
        ),
        migrations.AddIndex(
            model_name='signature',
            index=models.Index(fields=['petition', 'signed_at'], name='signature_by_petition'),
        ),
        migrations.AddIndex(
            model_name='signature',
            index=models.Index(condition=models.Q(('accepted_at', None)), fields=['signed_at'], name='signature_unaccepted'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.UniqueConstraint(fields=('petition', 'supporter'), name='signature_once_per_petition', violation_error_message='This supporter has already signed this petition.'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_at', None), ('accepted_at__isnull', False), _connector='OR'), name='signature_confirmed_is_accepted'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('removed_at', None), ('removal', '')), models.Q(('removed_at__isnull', False), ('removal__in', ['not-me', 'staff'])), _connector='OR'), name='signature_removed_says_by_whom'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(condition=models.Q(('dropped_at', None), ('failed_at', None), ('handed_over_at', None), ('sent_at', None)), fields=['due_at'], name='mail_waiting'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(fields=['supporter', 'created_at'], name='mail_by_supporter'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(condition=models.Q(('dropped_at', None), ('sent_at', None)), fields=['created_at'], name='mail_unsent'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(condition=models.Q(('to', ''), _negated=True), fields=['created_at'], name='mail_with_address'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmail',
            constraint=models.CheckConstraint(condition=models.Q(('message__in', ['confirm', 'already-signed'])), name='mail_message_is_known'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmail',
            constraint=models.CheckConstraint(condition=models.Q(('sent_at', None), ('failed_at', None), _connector='OR'), name='mail_sent_or_failed'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmail',
            constraint=models.CheckConstraint(condition=models.Q(('sent_at', None), ('handed_over_at__isnull', False), _connector='OR'), name='mail_sent_was_handed_over'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['supporter', 'organization', 'purpose', '-id'], name='consent_latest'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['updates'])), name='consent_purpose_is_known'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('source__in', ['sign-form', 'not-me'])), name='consent_source_is_known'),
        ),
    ]
