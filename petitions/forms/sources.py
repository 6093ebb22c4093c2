"""The source library on the campaign’s form."""

from petitions.forms.parts import SiblingFormSet, kept


class SourceFormSet(SiblingFormSet):
    """The source library; each key once."""

    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in kept(self):
            key = form.cleaned_data.get("key")
            if key and key in seen:
                form.add_error("key", f"Another source on this form has the key “{key}”.")
            seen.add(key or "")
