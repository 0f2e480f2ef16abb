import random

from hfdiv.demo.texts import load_scenario


def test_messages_and_replies_are_all_different():
    scenario = load_scenario()
    messages = [message.text for message in scenario.train + scenario.heldout]
    assert len(set(messages)) == len(messages) == 120
    bodies = [body for bodies in scenario.bodies.values() for body in bodies]
    assert len(set(bodies)) == len(bodies) == 240
    assert {message.category for message in scenario.heldout} == set(scenario.bodies)


def test_a_composed_reply_is_opener_body_closer_of_its_category():
    scenario = load_scenario()
    rng = random.Random(0)
    replies = {scenario.compose("refund", rng) for _ in range(50)}
    assert len(replies) > 40
    for reply in replies:
        assert reply.startswith(tuple(scenario.openers))
        assert reply.endswith(tuple(scenario.closers))
        assert any(body in reply for body in scenario.bodies["refund"])


def test_a_prompt_is_plain_text_that_ends_where_the_agent_speaks():
    message = load_scenario().heldout[0]
    assert message.prompt == f"Customer: {message.text}\nAgent:"
