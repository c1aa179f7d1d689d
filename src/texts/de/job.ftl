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
step-left = nicht abgewartet
step-not-begun = nicht begonnen

# Die Seite einer Arbeit: Überschriften und Titel.
job-heading = Die neue Karte wird erstellt
job-beginning = Es geht los
job-step = Schritt { $n } von { $of }: { $doing }
job-stopping = Wird angehalten. Die Karte noch nicht abziehen.
job-cancelled = Angehalten.
job-failed = Angehalten
job-failed-at = Abgebrochen bei: { $stage }
job-done = Die neue Karte ist fertig
job-title-stopping = Wird angehalten
job-title-cancelled = Angehalten
job-title-failed = Fehlgeschlagen · Neue Karte
job-title-interrupted = Unterbrochen · Neue Karte
job-title-done = Fertig · Neue Karte

job-untouched = Auf der Karte wurde bisher nichts geändert.
job-do-not-pull = Die Karte nicht abziehen.
job-amount-in-step = { $amount } in diesem Schritt
job-stood-at = Die Zahlen stehen still: { $percent } %, als diese Seite geöffnet wurde.
job-close-page = Diese Seite kann geschlossen werden; die Arbeit geht weiter.
job-stop-numbers = Bewegte Zahlen anhalten
job-show-numbers = Bewegte Zahlen zeigen
job-steps = Schritte
job-technical = Technische Einzelheiten
technical-job = Arbeit
technical-device = Gerätedatei
technical-fingerprint = Fingerabdruck
technical-board = Gerät
technical-image = Abbild
technical-backup = Sicherung
technical-cause = Ursache

# Worauf gewartet wird, und was nicht antwortet.
waiting-card = Warten auf die Karte. Manche Karten machen zwischendurch eine Pause.
waiting-download = Warten auf den Download.
waiting-backup = Warten auf Home Assistant. Große Teile brauchen eine Weile.
silent-happened = Seit { $minutes } Minuten keine Daten.
silent-download-title = Der Download steht still
silent-download-todo = Es wird von selbst noch einmal versucht. Die Internetverbindung prüfen, oder anhalten und es später versuchen.
silent-backup-title = Die Sicherung steht still
silent-backup-todo = Vielleicht packt Home Assistant noch einen großen Teil. Warten, oder anhalten und noch einmal versuchen.

# Wie sie endet.
job-done-compared = Sie wurde zurückgelesen und verglichen.
job-done-take-out = Jetzt aus dem Leser nehmen.
job-done-do-neither = Bietet Home Assistant an, einen Datenträger umzubenennen oder zu übernehmen, beides nicht tun.
job-gaps-title = Fertig, mit Lücken
job-gaps-todo = Das vor dem Tausch selbst sichern.
job-warnings-title = Gut zu wissen
job-stop = Anhalten…
job-swap = Jetzt die Karte tauschen
job-start-again = Neu beginnen
job-try-again = Mit derselben Karte noch einmal versuchen
job-log = Protokoll
job-certificate = Zertifikat

# Was vorgelesen wird.
say-begins = Die neue Karte wird jetzt erstellt.
say-quarter = Ein Viertel ist geschafft.
say-half = Die Hälfte ist geschafft.
say-three-quarters = Drei Viertel sind geschafft.
say-goes-on = Es geht weiter.
say-still = Es wird weiter gearbeitet, { $percent } %.

# Die Seite, die vor dem Anhalten fragt.
stop-title = Diese Karte nicht weiter erstellen?
stop-stop = Anhalten
stop-keep-going = Weitermachen
stop-back = Zurück
stop-backup-goes-on = Die Sicherung, die Home Assistant gerade erstellt, kann nicht angehalten werden. Sie läuft von selbst weiter und bleibt.
stop-backup-kept = Die Sicherung bleibt und kann nächstes Mal gewählt werden.
stop-stale-title = Diese Seite war veraltet
stop-stale-happened = Die App wurde seitdem neu gestartet. Es wurde nichts getan.
stop-stale-todo = Noch einmal „Anhalten“ drücken, falls es noch gewünscht ist.
