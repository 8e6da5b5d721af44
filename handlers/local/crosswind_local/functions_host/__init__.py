"""Azure Functions on a laptop: a Python app under Microsoft's own language worker.

host             one app: start, call, kill, look into, stop
  application    its files: a folder or a zip
  configuration  host.json                  settings       app settings
  interpreters   the Python that the worker needs
functions        what the worker found: functions, triggers, outputs
  routes         of HTTP triggers           schedules      of timers
invoker          one call: run, send what it puts out, write down
  workers        one worker at a time, begun anew where it ends
  process        its process                record, journal
receivers        triggers of Service Bus ┐
timers           triggers by the clock   │  what calls functions
site, front      requests over HTTP      │
event_grid       the webhook's handshake ┘
messages         a message as the worker is passed it
senders          outputs to Service Bus

worker, rpc      what runs in that other Python; they import nothing of ours

with FunctionsHost("build", env={"ServiceBus": connection_string}) as app:
    urllib.request.urlopen(f"{app.url}/api/hello")
"""

from crosswind_local.functions_host.host import FunctionsHost
from crosswind_local.functions_host.invoker import Result
from crosswind_local.functions_host.settings import SettingMissing

__all__ = ["FunctionsHost", "Result", "SettingMissing"]
