"""Reactions and threads on both sides of a bridge."""

import pytest

from dragoman.testing import Bot
from plugins.bridge_rig import THREE, bot_settings, emoji_on, more, say, skills

__all__ = ["bot_settings", "more", "skills"]


@pytest.mark.parametrize("more", [THREE])
def test_an_emoji_is_put_on_every_other_copy_and_on_the_original(bot: Bot) -> None:
    said, (there, yonder) = say(bot, "hello")
    bot.react("wave", to=said, on="slack")
    assert (emoji_on(bot, said), there.reactions, yonder.reactions) == ([], ["wave"], ["wave"])
    bot.react("tada", to=there, by="bo", on="discord")
    assert (emoji_on(bot, said), there.reactions, yonder.reactions) == (["tada"], ["wave"], ["wave", "tada"])


@pytest.mark.parametrize("more", [THREE])
def test_an_emoji_goes_with_the_last_one_elsewhere_who_had_put_it(bot: Bot) -> None:
    said, (there, yonder) = say(bot, "hello")
    bot.react("wave", to=said, by="ann", on="slack")
    bot.react("wave", to=said, by="bo", on="slack")
    bot.react("wave", to=there, by="cat", on="discord")

    def shown() -> tuple[int, int, int]:
        return len(emoji_on(bot, said)), len(there.reactions), len(yonder.reactions)

    assert shown() == (1, 1, 1)
    bot.react("wave", to=said, by="ann", on="slack", remove=True)
    assert shown() == (1, 1, 1)
    bot.react("wave", to=said, by="bo", on="slack", remove=True)
    assert shown() == (1, 0, 1)
    bot.react("wave", to=there, by="cat", on="discord", remove=True)
    assert shown() == (0, 0, 0)
    bot.react("wave", to=said, by="bo", on="slack")
    assert shown() == (0, 1, 1)


def test_an_emoji_that_nobody_counted_is_not_taken_away(bot: Bot) -> None:
    said, (copy,) = say(bot, "hello")
    copy.reactions.append("wave")
    bot.react("wave", to=said, on="slack", remove=True)
    assert copy.reactions == ["wave"]


def test_a_reaction_to_the_files_of_a_copy_is_one_to_the_message(bot: Bot) -> None:
    said, (_, files) = say(bot, "look", files={"a.txt": b"alpha"})
    bot.react("wave", to=files, by="bo", on="discord")
    assert emoji_on(bot, said) == ["wave"]


@pytest.mark.parametrize("more", [THREE])
def test_a_reply_below_a_message_goes_below_its_copies(bot: Bot) -> None:
    said, copies = say(bot, "who is in?")
    _, replies = say(bot, "me", by="bo", thread=said)
    assert [reply.address.thread for reply in replies] == [copy.id for copy in copies]


@pytest.mark.parametrize("more", [THREE])
def test_a_reply_below_a_copy_goes_below_the_original_and_the_other_copies(bot: Bot) -> None:
    said, (there, yonder) = say(bot, "who is in?")
    answered, (back, across) = say(bot, "me", by="bo", on="discord", thread=there.id)
    assert (back.address.account, back.address.thread) == ("slack", said)
    assert (across.address.account, across.address.thread) == ("irc", yonder.id)
    # What is said in the thread can be edited, reacted to and answered as well.
    bot.edit(answered, "not me", by="bo", on="discord", thread=there.id)
    assert (back.text, across.text) == ("**Bo** (discord): not me",) * 2
    bot.react("cry", to=back, on="slack", thread=said)
    assert (emoji_on(bot, answered), across.reactions) == (["cry"], ["cry"])
    _, (further, _) = say(bot, "why?", thread=said)
    assert (further.address.account, further.address.thread) == ("discord", there.id)


def test_a_thread_whose_beginning_is_not_known_goes_on_below_its_first_reply(bot: Bot) -> None:
    said, (first,) = say(bot, "as I said", thread="old")
    assert first.address.thread is None
    _, (second,) = say(bot, "did you?", by="bo", thread="old")
    _, (third,) = say(bot, "yes", thread="old")
    assert (second.address.thread, third.address.thread) == (first.id, first.id)
    _, (back,) = say(bot, "hm", by="cat", on="discord", thread=first.id)
    assert back.address.thread == "old"
    bot.react("wave", to=first, by="cat", on="discord")
    assert emoji_on(bot, said) == ["wave"]


def test_a_thread_below_what_was_deleted_begins_anew(bot: Bot) -> None:
    said, _ = say(bot, "who is in?")
    bot.delete(said, on="slack")
    _, (first,) = say(bot, "me", thread=said)
    _, (second,) = say(bot, "and me", by="bo", thread=said)
    assert (first.address.thread, second.address.thread) == (None, first.id)
