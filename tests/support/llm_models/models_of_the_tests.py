"""Models for the program `llm`: one answers in two pieces, the other fails in the middle of its answer."""

import os
import re
import time

import llm


@llm.hookimpl
def register_models(register):
    register(InPieces())
    register(Overloaded())


class InPieces(llm.Model):
    """Answers with the prompt between the marks and, once the file $LLM_GO exists, one more line and a summary."""

    model_id = "in-pieces"
    can_stream = True

    def execute(self, prompt, stream, response, conversation):
        found = re.search(r"<<<PROMPT (\w+)\n(.*)\nPROMPT \1>>>", prompt.prompt, re.DOTALL)
        yield found[2]
        while not os.path.exists(os.environ["LLM_GO"]):
            time.sleep(0.01)
        yield "Be brief.\n--- summary\n- Brief"


class Overloaded(llm.Model):
    model_id = "overloaded"
    can_stream = True

    def execute(self, prompt, stream, response, conversation):
        yield "# Rules\n\nBe kind"
        raise llm.ModelError("The model is overloaded.")
