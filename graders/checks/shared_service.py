"""The instance that most checks talk to."""

from assessments.outcome import Fault
from graders.checks.instances import StartedService
from graders.checks.runner_link import RunnerLink
from graders.http import BadAnswer

_MAX_STARTS = 6
_MAX_FAILED_STARTS = 2


class SharedService:
    """Started when first needed, and started again, a few times, when a check brought it down."""

    def __init__(self, link: RunnerLink) -> None:
        self._link = link
        self._service: StartedService | None = None
        self._starts = 0
        self._failed_starts = 0
        self._given_up: tuple[str, Fault] | None = None

    def get(self) -> StartedService:
        """The living, ready instance. Raises BadAnswer once starting it has failed too often."""
        if self._service is not None and self._service.alive:
            if self._service.served:
                return self._service
            self._starts -= self._service.unplugged  # that was a check's doing, and no end of the service
        self.stop()
        while self._given_up is None:
            if self._starts == _MAX_STARTS:
                self._given_up = f"the service ended {_MAX_STARTS} times, and was not started again", Fault.DIED
                break
            service = self._try_to_start()
            if service is not None:
                self._service = service
                return service
        message, fault = self._given_up
        raise BadAnswer(message, fault)

    def stop(self) -> None:
        if self._service is not None:
            self._service.stop()
            self._service = None

    def _try_to_start(self) -> StartedService | None:
        service = self._link.start_service({}, {})
        self._starts += 1
        try:
            service.await_ready()
        except BadAnswer as error:
            service.stop()
            self._failed_starts += 1
            if self._failed_starts == _MAX_FAILED_STARTS:
                self._given_up = str(error), error.fault
            return None
        return service
