"""From what a grader asks for to what is started: its own challenge's things, and nothing else."""

from assessments.challenge import EntryKind
from assessments.measurement import Side
from graders import wire
from runner.engines.protocol import SandboxSpec
from runner.trial import Trial, Wanted

Start = wire.StartService | wire.StartProgram | wire.StartJob | wire.RunTool


def spec_for(trial: Trial, request: Start, number: int) -> SandboxSpec | wire.Refused:
    """The sandbox to start as the judging's `number`th. Refused: the hidden tests ask for what does not exist."""
    try:
        match request:
            case wire.StartService():
                return _service(trial, request, number)
            case wire.StartJob():
                return _job(trial, request, number)
            case wire.StartProgram():
                return trial.of_program(request.companion, (), trial.folders(request.inputs))
            case wire.RunTool():
                return trial.of_program(request.companion, request.command, trial.folders(request.inputs))
    except KeyError as error:
        return wire.Refused(message=f"there is no asset, companion program or data folder {error}")


def _service(trial: Trial, request: wire.StartService, number: int) -> SandboxSpec | wire.Refused:
    if trial.challenge.entry.kind is not EntryKind.SERVICE:
        return wire.Refused(message="this challenge's entry is a job; use run_job")
    whose = "service" if request.side is Side.CANDIDATE else "reference"
    state = wire.decode_files(request.state_base64)
    wanted = Wanted(f"{whose} {number}", request.side, env=request.env, assets=request.assets, state=state)
    return trial.of_submission(wanted)


def _job(trial: Trial, request: wire.StartJob, number: int) -> SandboxSpec | wire.Refused:
    if trial.challenge.entry.kind is not EntryKind.JOB:
        return wire.Refused(message="this challenge's entry is a service; use service or start_service")
    whose = "job" if request.side is Side.CANDIDATE else "reference"
    stdin, inputs = wire.decode(request.stdin_base64), trial.folders(request.inputs)
    wanted = Wanted(f"{whose} {number}", request.side, request.args, request.env, stdin=stdin, inputs=inputs)
    return trial.of_submission(wanted)
