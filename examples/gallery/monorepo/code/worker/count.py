import time

import store

while True:
    try:
        store.ask("INCR", "ticks")
    except OSError as error:
        print(error, flush=True)
    time.sleep(0.2)
