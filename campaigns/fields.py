"""Model fields for what sources, organizations and places carry: web addresses, lists of authors, keys of names."""

from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.db import models

from campaigns.place_names import name_key
from toolkit.plain_text import one_line

NOT_A_WEB_ADDRESS = "Enter a full web address that begins with https:// or http://."


class WebAddressField(models.URLField):
    """A URL that can only be `http` or `https`: it is shown to the public as a link."""

    default_validators = [URLValidator(["http", "https"], message=NOT_A_WEB_ADDRESS)]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 1000)
        super().__init__(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(
            **{"assume_scheme": "https", "error_messages": {"invalid": NOT_A_WEB_ADDRESS}, **kwargs}
        )


class AuthorsFormField(forms.CharField):
    """Authors as people write them: one a line."""

    widget = forms.Textarea(attrs={"rows": 2, "cols": 30})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        if isinstance(value, list):
            return value
        return [author for line in str(value or "").splitlines() if (author := one_line(line))]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)


class AuthorsField(models.JSONField):
    """The authors of a source, a list of names in the order of the publication."""

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return models.Field.formfield(self, **{"form_class": AuthorsFormField, **kwargs})


class NameKeyField(models.CharField):
    """The row's `name` in the form in which places are compared; written at every save, also in bulk."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            *args, **{"max_length": 200, "editable": False, "db_index": True, "db_default": "", **kwargs}
        )

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = name_key(getattr(model_instance, "name", ""))
        setattr(model_instance, self.attname, key)
        return key
