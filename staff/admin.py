"""Staff accounts: owners say who works here and in which role, and cannot give more than a role."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from staff.edits import RecordedAdmin
from staff.models import User
from staff.roles import ROLES

WHAT_ROLES_DO = (
    "Editor: writes campaigns and mailings, sees no signer. Publisher: also publishes, closes and sends. "
    "Signature manager: sees, exports and removes signatures. Owner: everything, and staff accounts."
)


class RoleFields(forms.ModelForm):
    """The part of both forms that says what a person may do."""

    groups = forms.ModelMultipleChoiceField(
        Group.objects.filter(name__in=ROLES),
        label="Roles",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=WHAT_ROLES_DO,
    )


class AddUserForm(RoleFields, AdminUserCreationForm):
    class Meta(AdminUserCreationForm.Meta):
        model = User


class ChangeUserForm(RoleFields, UserChangeForm):
    class Meta(UserChangeForm.Meta):
        model = User

    acting: User | None = None  # set by the admin: who fills in the form

    def clean_is_active(self) -> bool:
        active: bool = self.cleaned_data["is_active"]
        if not active and self.acting is not None and self.instance.pk == self.acting.pk:
            raise forms.ValidationError("You cannot switch off your own account.")
        return active


@admin.register(User)
class StaffUserAdmin(RecordedAdmin, UserAdmin):
    """Accounts. A role is all that can be given here: no single permission, and nobody is made a superuser."""

    form = ChangeUserForm
    add_form = AddUserForm
    fieldsets = (
        (None, {"fields": ("username", "password", "is_active")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("What they may do", {"fields": ("groups",)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    "username",
                    "first_name",
                    "last_name",
                    "email",
                    "groups",
                    "usable_password",
                    "password1",
                    "password2",
                )
            },
        ),
    )
    readonly_fields = ("last_login", "date_joined")
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users = super().get_queryset(request).prefetch_related("groups")
        # Who is not a superuser must not be able to take over the account of one.
        return users if request.user.is_superuser else users.filter(is_superuser=False)

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.acting = request.user
        return form

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.pk != request.user.pk)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without deleting in bulk: it would not spare one's own account."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or (
            "superuser" if user.is_superuser else "none"
        )


# Groups follow from `staff.roles`; changing one by hand would last until the next migration.
if admin.site.is_registered(Group):
    admin.site.unregister(Group)
