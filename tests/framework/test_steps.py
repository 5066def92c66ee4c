"""The steps of a worker's consumer: each of ours stands in the place of Celery's, which does not begin beside it."""

import random

import pytest
from celery.worker.consumer.control import Control
from celery.worker.consumer.delayed_delivery import DelayedDelivery
from celery.worker.consumer.tasks import Tasks

from dragoman.worker.consumer import Consumer


@pytest.mark.parametrize("seed", range(10))
def test_no_step_of_celery_that_ours_replaces_is_among_them(seed: int) -> None:
    blueprint = Consumer.Blueprint()
    found = blueprint.claim_steps()
    blueprint.steps = {name: found[name] for name in random.Random(seed).sample(sorted(found), len(found))}
    names = [step.__name__ for step in blueprint._finalize_steps(blueprint.steps)]
    assert {"SkillTasks", "SkillControl", "SkillDelayedDelivery"} <= set(names)
    assert not {step.__name__ for step in (Tasks, Control, DelayedDelivery)} & set(names)
    assert names.index("SkillTasks") < names.index("SkillControl")
    assert names[-1] == "Evloop"
