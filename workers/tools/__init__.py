"""What the agent can do. A tool is a typed function whose docstring the model reads; it is registered by its line in TOOLS.

None has an effect outside the conversation. A refusal is a sentence that the model can act on.
"""

from workers.tools.calculate import calculate
from workers.tools.read_thread import read_thread
from workers.tools.search_knowledge import search_knowledge
from workers.tools.time_in import time_in

TOOLS = (
    search_knowledge,
    read_thread,
    time_in,
    calculate,
)
