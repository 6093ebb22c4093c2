

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('petitions', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='version',
            name='published_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='petition',
            name='current_version',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='petitions.version'),
        ),
        migrations.AddConstraint(
            model_name='letter',
            constraint=models.UniqueConstraint(fields=('campaign', 'kind'), name='letter_one_of_each_kind', violation_error_message='A campaign has at most one letter of each kind.'),
        ),
        migrations.AddConstraint(
            model_name='letter',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['demand', 'thank-you'])), name='letter_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(('count__gte', 0)), name='tally_never_negative'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(('local__gte', 0), ('local__lte', models.F('count'))), name='tally_local_within_count'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.UniqueConstraint(fields=('petition', 'number'), name='version_number_once_per_petition'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='version_numbers_start_at_one'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['demand', 'thank-you'])), name='version_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='petition',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('target__isnull', False), ('addressee', '')), models.Q(('target__isnull', True), models.Q(('addressee', ''), _negated=True)), _connector='OR'), name='petition_to_target_or_group', violation_error_message='A petition goes to one target, or to a group with an addressee line.'),
        ),
        migrations.AddConstraint(
            model_name='petition',
            constraint=models.UniqueConstraint(condition=models.Q(('target__isnull', False)), fields=('letter', 'target'), name='petition_once_per_letter_and_target', violation_error_message='This target already has a petition of this kind.'),
        ),
        migrations.AddConstraint(
            model_name='petition',
            constraint=models.CheckConstraint(condition=models.Q(('live_at', None), ('current_version__isnull', False), _connector='OR'), name='petition_live_has_version', violation_error_message='Only a published petition can be live.'),
        ),
        migrations.AddConstraint(
            model_name='petition',
            constraint=models.CheckConstraint(condition=models.Q(('won_at', None), ('closed_at__isnull', False), _connector='OR'), name='petition_won_is_closed', violation_error_message='A won petition is closed.'),
        ),
        migrations.AddConstraint(
            model_name='petition',
            constraint=models.CheckConstraint(condition=models.Q(('goal', None), ('goal__gt', 0), _connector='OR'), name='petition_goal_is_positive', violation_error_message='A goal is at least 1.'),
        ),
    ]
