"""Files as a skill sees them: ``ctx.files``. What is sent and stored is a reference (`FileRef`), never the bytes."""

import mimetypes
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from .action import Action, Fetch
from .address import NOWHERE, Address
from .blocking import off_the_loop
from .content import FileRef
from .errors import DeliveryError, SkillError
from .services import Services
from .task import Task

__all__ = ["Files"]

#: Seconds that a platform may take to give a file, and between two looks whether it has.
FETCH: Final = 60.0
LOOK: Final = 0.05


class Files:
    """Attach a skill's own files, and read what people have attached::

    ctx.reply(Content(text="Here it is.", files=(ctx.files.attach("chart.png", png),)))
    for file in ctx.event.content.files:
        data = ctx.files.read(file)
    """

    def __init__(self, task: Task, services: Services, prefix: str) -> None:
        """``prefix``: of the keys of this run's actions."""
        self._task = task
        self._services = services
        self._prefix = prefix

    def attach(self, name: str, data: bytes | Path, media_type: str = "") -> FileRef:
        """A file to send: as bytes, or a path whose bytes are read now.

        Args:
            name: as people see it; what stands before its last slash is left out.
            media_type: such as ``image/png``; left out, it is guessed from the name.

        Raises:
            SkillError: it is too large (``[files] limit``).
            OSError: the path cannot be read.
        """
        off_the_loop("ctx.files.attach", "name, data")
        name = name.replace("\\", "/").rpartition("/")[2] or "file"
        try:
            if isinstance(data, Path):
                with data.open("rb") as source:
                    blob, size = self._services.blobs.put(source)
            else:
                blob, size = self._services.blobs.put(data)
        except DeliveryError as error:
            raise SkillError(f"ctx.files.attach({name!r}): {error}") from None
        kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        return FileRef(id=blob, name=name, media_type=kind, size=size, blob=blob)

    def fetch(self, file: FileRef) -> FileRef:
        """What somebody attached to the event's message, brought into the bot's own keeping; waits for it.

        It can then be read, and be sent anywhere.

        Raises:
            SkillError: the platform did not give it within a minute, or not at all; the run may be tried again.
        """
        (found,) = self.fetch_all([file])
        return found

    def fetch_all(self, files: Sequence[FileRef]) -> tuple[FileRef, ...]:
        """The same for several, which are fetched at the same time."""
        off_the_loop("ctx.files.fetch", "file")
        here = self._task.event.address
        asked = {file.id: self._ask(file, here) for file in files if not self._kept(file)}
        left = [action for key, action in asked.items() if self._services.sent(action.key) is None]
        if left:
            self._services.leave(self._task, left)
        until = time.monotonic() + FETCH
        return tuple(file if file.id not in asked else self._wait(file, asked[file.id].key, until) for file in files)

    def read(self, file: FileRef) -> bytes:
        """All bytes of a file, fetched if need be. Raises as `fetch`."""
        off_the_loop("ctx.files.read", "file")
        with self._services.blobs.open(self.fetch(file).blob) as source:
            return source.read()

    def _kept(self, file: FileRef) -> bool:
        return bool(file.blob) and file.blob in self._services.blobs

    def _ask(self, file: FileRef, here: Address) -> Action:
        if here == NOWHERE:
            raise SkillError(
                f"the file {file.name or file.id!r} is not in the bot's keeping, and came from no platform"
            )
        return Fetch(
            # Not an ordinal: a retry must number its answers the same way. Each attempt asks anew.
            key=f"{self._prefix}|fetch {self._task.attempt} {sha256(file.id.encode()).hexdigest()[:32]}",
            address=here,
            file=file,
            traceparent=self._task.event.traceparent,
        )

    def _wait(self, file: FileRef, key: str, until: float) -> FileRef:
        name = file.name or file.id
        while (sent := self._services.sent(key)) is None:
            if time.monotonic() > until:
                raise SkillError(f"the file {name!r} could not be fetched within {FETCH:.0f} s")
            time.sleep(LOOK)
        if not sent.ids or sent.ids[0] not in self._services.blobs:
            raise SkillError(f"the file {name!r} could not be fetched: the gateway's log says why")
        return file.model_copy(update={"blob": sent.ids[0]})
