"""Takes the log of the executable into Python's logging, and keeps what went wrong."""

import logging
import re

# `time; name; LEVEL; message` of tasks, `error: message` of commands.
TASK_LINE = re.compile(r"[^;]+; [^;]+; (?P<level>[A-Z]+); (?P<message>.*)")
COMMAND_LINE = re.compile(r"(?P<level>error|warning): (?P<message>.*)")
LEVELS = {
    "TRACE": logging.DEBUG,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
}


class Relay:
    """Hands the lines of a log on, each with the level that it has; a line without one continues the line before."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._level = logging.INFO
        self._errors: list[str] = []
        self._last: list[str] = []

    def line(self, text: str) -> None:
        """The next line, without its end."""
        found = TASK_LINE.fullmatch(text) or COMMAND_LINE.fullmatch(text)
        if found:
            self._level = LEVELS.get(found["level"].upper(), logging.INFO)
            text = found["message"]
        self._last = [*self._last[-9:], text]
        if self._level >= logging.ERROR:
            # Told by the exception: a log line more would say it twice.
            self._errors.append(text)
        else:
            self._logger.log(self._level, "%s", text)

    def problem(self) -> str:
        """What the errors said; without one, the last lines."""
        return "\n".join(self._errors or self._last)
