# Wie die Schritte stehen.
step-waiting = kommt noch
step-aside = gleichzeitig
step-aside-amount = { $amount }, gleichzeitig
step-now = jetzt
step-done = fertig, { $took }
step-skipped = nicht nötig
step-failed = hier fehlgeschlagen
step-stopped = hier angehalten

outcome-running = wird erstellt
outcome-stopping = wird angehalten
outcome-cancelled = angehalten
outcome-failed = fehlgeschlagen
outcome-interrupted = unterbrochen
outcome-done = fertig

if-stopped-commit = Das dauert ein paar Sekunden und kann nicht angehalten werden.
if-stopped-untouched = Die Karte ist unverändert.
if-stopped-blank = Die Karte ist dann leer und kann wieder verwendet werden.
