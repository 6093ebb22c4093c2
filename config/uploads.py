"""How much anybody may send along with a form: without this, files of any size go to the disk, also from strangers."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile

# The largest of ours is a logo of 1 MB; somebody who chose a photo should still be told what is wrong with it.
LARGEST_REQUEST = 20 * 1024 * 1024


class SizeLimit(FileUploadHandler):
    """Stands before the handlers that keep files, and lets those of a request of unlikely size go by unread."""

    too_large = False

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:
        self.too_large = content_length > LARGEST_REQUEST

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.too_large:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
