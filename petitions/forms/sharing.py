"""Where a short address will stand: typed, with suggestions."""

from typing import Any

from django import forms

from petitions.short_addresses import LONGEST_CHANNEL, SUGGESTIONS, clean_channel


class ChannelForm(forms.Form):
    """The name of a channel, such as Poster."""

    channel = forms.CharField(
        label="Channel",
        max_length=LONGEST_CHANNEL,
        help_text="Where the address will stand: Poster, Stall, Flyer … Staff see how many signed through it.",
        widget=forms.TextInput(attrs={"list": "channels", "autocomplete": "off"}),
    )
    suggestions = SUGGESTIONS

    def clean_channel(self) -> Any:
        return clean_channel(self.cleaned_data["channel"])
