"""Bringing a list of targets, correcting its wrong rows and applying it; and uploading a campaign file."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from petitions.campaign_files.reading import LARGEST_FILE as LARGEST_CAMPAIGN_FILE
from petitions.models import Kind
from petitions.target_lists.columns import COLUMNS, kind_of, nearest_kind
from petitions.target_lists.comparing import Mark, Row
from petitions.target_lists.reading import LARGEST_FILE, BrokenList, ReadList, read
from toolkit.plain_text import storable

PREFIX = "row"
EXAMPLE = "Name, Place, Region, E-mail\nAda Okafor, Rivermouth, Westmark, mayor@rivermouth.example"


class AnyText(forms.CharField):
    """Whatever was typed or pasted, fit to be stored; mistakes in it are told row by row."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        return storable(str(value)) if value else ""


class BringListForm(forms.Form):
    """A list of targets, pasted or as a file. `read` is what came of it."""

    file = forms.FileField(
        label="CSV file",
        required=False,
        allow_empty_file=True,
        help_text=f"As your spreadsheet saves it: CSV, at most {LARGEST_FILE // 1_000_000} MB.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )
    text = AnyText(
        label="Or paste rows",
        help_text="Copied from a spreadsheet, with the line that names the columns.",
        widget=forms.Textarea(
            attrs={"rows": 10, "cols": 80, "spellcheck": "false", "placeholder": EXAMPLE, "wrap": "off"}
        ),
    )
    result: ReadList

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file: UploadedFile | None = cleaned.get("file")
        text: str = cleaned.get("text", "")
        if "file" in self.errors:
            return cleaned
        if file is not None and text.strip():
            raise ValidationError("Choose a file or paste rows, not both.")
        if file is None and not text.strip():
            raise ValidationError(
                f"Choose a CSV file of at most {LARGEST_FILE // 1_000_000} MB, or paste rows from a spreadsheet."
            )
        try:
            self.result = read(text if file is None else file.read(LARGEST_FILE + 1))
        except BrokenList as broken:
            self.add_error("text" if file is None else "file", str(broken))
        return cleaned

    @property
    def file_name(self) -> str:
        file: UploadedFile | None = self.cleaned_data["file"]
        return (file.name or "") if file is not None else "Pasted rows"


class RowForm(forms.Form):
    """A row to be corrected, for showing it: the columns its list has, and those with a mistake."""

    left_out = forms.BooleanField(label="Leave this row out", required=False)

    def __init__(self, row: Row, columns: Collection[str], kinds: Collection[str]) -> None:
        super().__init__(prefix=f"{PREFIX}-{row.index}", initial={"left_out": row.mark is Mark.LEFT_OUT})
        wrong: dict[str, list[str]] = {}
        for problem in row.problems:
            wrong.setdefault(problem.column, []).append(problem.message)
        self.row = row
        self.of_row = wrong.pop("", [])
        for name, column in COLUMNS.items():
            text = row.cells.get(name, "")
            if name in wrong or column.needed or (name in columns and (text or not column.several_lines)):
                self.fields[name] = field_for(name, text, kinds)
                self.fields[name].widget.attrs |= described(self.auto_id_of(name), name in wrong)
                self.fields[name].mistakes = wrong.get(name, [])  # type: ignore[attr-defined]

    def auto_id_of(self, name: str) -> str:
        return f"id_{self.add_prefix(name)}"

    @property
    def cells(self) -> list[tuple[forms.BoundField, list[str]]]:
        """Each field with its mistakes; wrong ones first, for that is what somebody came for."""
        pairs = [
            (self[name], getattr(field, "mistakes", []))
            for name, field in self.fields.items()
            if name != "left_out"
        ]
        return sorted(pairs, key=lambda pair: not pair[1])


def field_for(name: str, text: str, kinds: Collection[str]) -> forms.Field:
    column = COLUMNS[name]
    if name == "kind":
        initial = shown(name, text, kinds)
        choices = [("", "not given"), *((kind, Kind(kind).label) for kind in kinds)]
        if initial and initial not in kinds:
            # What nobody understands stays wrong until somebody chooses.
            choices.insert(0, (initial, f"“{initial}”"))
        return forms.ChoiceField(label=column.label, required=False, choices=choices, initial=initial)
    widget: forms.Widget
    if column.several_lines:
        widget = forms.Textarea(attrs={"rows": 3, "cols": 60})
    else:
        widget = forms.TextInput(attrs={"size": min(36, max(12, len(text) + 2)), "spellcheck": "false"})
    return AnyText(label=column.label, initial=text, widget=widget)


def shown(name: str, text: str, kinds: Collection[str]) -> str:
    """What a row's field begins with: its cell, or the kind that is meant by it."""
    meant = kind_of(text) or nearest_kind(text) if name == "kind" else None
    return meant if meant and meant in kinds else text


def described(anchor: str, is_wrong: bool) -> dict[str, str]:
    return {"aria-invalid": "true", "aria-describedby": f"{anchor}_mistakes"} if is_wrong else {}


class ApplyForm(forms.Form):
    """Applying what the preview showed."""

    previewed = forms.CharField(widget=forms.HiddenInput, max_length=64)
    without_wrong_rows = forms.BooleanField(required=False)


class CampaignFileForm(forms.Form):
    """A campaign file. What is in it is read by `petitions.campaign_files`."""

    file = forms.FileField(
        label="Campaign file",
        allow_empty_file=True,
        help_text=f"A .toml file of at most {LARGEST_CAMPAIGN_FILE // 1_000_000} MB, such as “Download as file” "
        "on a campaign’s page makes.",
        widget=forms.FileInput(attrs={"accept": ".toml,application/toml,text/plain"}),
        error_messages={"required": "Choose a campaign file."},
    )

    def content(self) -> bytes:
        """The file's bytes, no more than are needed to see that it is too large."""
        file: UploadedFile = self.cleaned_data["file"]
        content: bytes = file.read(LARGEST_CAMPAIGN_FILE + 1)
        return content
