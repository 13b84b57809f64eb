"""From a webhook's body to committed events: the inbox, then one writer."""

from receiver.pipeline.intake import Intake, Room
from receiver.pipeline.training import Training
from receiver.pipeline.worker import Worker
from receiver.pipeline.writer import Writer

__all__ = ["Intake", "Room", "Training", "Worker", "Writer"]
