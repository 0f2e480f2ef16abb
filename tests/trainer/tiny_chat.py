"""The tiny model as a folder with a tokenizer and a chat template, as a recipe names its model."""

import functools
import tempfile

from tests.trainer.tiny import tiny_model, tiny_tokenizer


TEMPLATE = "{% for message in messages %}{{ message['content'] }} {% endfor %}"


@functools.cache
def tiny_chat_folder():
    folder = tempfile.mkdtemp(prefix="tiny-chat-")
    tiny_model().save_pretrained(folder)
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return folder
