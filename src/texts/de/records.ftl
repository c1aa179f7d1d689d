# Was aufgehoben wird: frühere Karten, Zertifikat, Protokoll, aufgehobenes Abbild; über diese App.

# Ein Zeitpunkt, in UTC.
moment = { $day }.{ $month }.{ $year }, { $hour }:{ $minute } UTC

history-title = Frühere Karten
history-empty = Noch keine Karten erstellt.
history-when = Wann
history-disk = Datenträger
history-result = Ergebnis
history-took = Dauer
history-more = Mehr
history-job = Auftrag
history-log = Protokoll
history-certificate = Zertifikat
history-os = Home Assistant OS { $version }
history-core = Core { $version }
history-app = sd-swap { $version }

certificate-title = Zertifikat der neuen Karte
certificate-finished = Diese Karte ist fertig: Sie startet nur, weil ihr erster Sektor zuletzt geschrieben wurde, nachdem alles Folgende verglichen war. Hätte die Arbeit vorher geendet, wäre die Karte leer. Das Zertifikat sagt nicht, ob die Sicherung inzwischen wiederhergestellt wurde, und nicht, wie lange die Karte hält.
certificate-card = Karte
certificate-name = Name
certificate-maker = Hersteller
certificate-model = Modell
certificate-serial = Seriennummer
certificate-size = Größe
certificate-fingerprint = Fingerabdruck
certificate-system = System
certificate-board = Gerät
certificate-version = Version
certificate-image = Abbild
certificate-unpacked = Größe auf der Karte
certificate-sha256 = SHA-256
certificate-own-digest = { $digest }, von der Datei selbst; es gab keine andere zum Vergleich
certificate-backup = Sicherung
certificate-no-backup = Auf diese Karte kam keine Sicherung.
certificate-slug = Name ihrer Datei
certificate-date = Erstellt
certificate-core = Home Assistant
certificate-key = Verschlüsselt
certificate-key-needed = Beim Wiederherstellen wird nach ihrem Schlüssel gefragt.
certificate-times = Zeit
certificate-started = Begonnen
certificate-ended = Fertig
certificate-took = Dauer
certificate-compared = Verglichen und für gleich befunden
certificate-rewritten = Diese Blöcke von 1 MiB wurden erst nach nochmaligem Schreiben richtig gelesen: { $blocks }.
certificate-warnings = Gut zu wissen
certificate-steps = Gemessen
certificate-step = Schritt
certificate-amount = Menge
certificate-rate = Tempo
certificate-by = Erstellt von sd-swap { $version } als Auftrag { $job }.
certificate-by-earlier = Erstellt von einer früheren Version von sd-swap als Auftrag { $job }.
certificate-print = Drucken
certificate-json = Als JSON herunterladen

compared-fingerprint = Der Datenträger ist der bestätigte: am Anfang und noch einmal vor dem ersten Schreiben.
compared-image = Das Abbild ist das veröffentlichte: Seine SHA-256 ist die, die bei der Veröffentlichung steht.
compared-backup-parts = Die Sicherung wurde bis zum Ende gelesen und enthält, was sie verspricht.
compared-capacity = Die Karte fasst so viel, wie sie angibt: Marken bis an ihr Ende kamen zurück.
compared-content = Alles Geschriebene wurde am Zwischenspeicher vorbei zurückgelesen und ist, wie es sein soll, MiB für MiB.
compared-file-system = Das Dateisystem für die Daten wurde geprüft (e2fsck).
compared-backup-on-card = Die Sicherung auf der Karte wurde zurückgelesen; ihre SHA-256 ist die der Sicherung, die dorthin kam.
compared-tables = Die Partitionstabellen an beiden Enden wurden nach dem Schreiben zurückgelesen.

log-title = Protokoll von Auftrag { $id }
log-back = Zurück zum Auftrag
log-left-out = Namen und Passwörter sind weggelassen.
log-download = Als Text herunterladen
log-none = Zu diesem Auftrag gibt es kein Protokoll.

report-title = Ein Problem melden
report-at = Meldungen werden hier gelesen:
report-what = Am meisten helfen das Protokoll und das hier:

cache-title = Aufgehobenes Abbild
cache-file = Datei
cache-version = Version
cache-board = Gerät
cache-size = Größe
cache-stays = Es bleibt, bis ein anderes heruntergeladen oder dieses hier entfernt wird. Mit ihm braucht die nächste Karte keinen Download. Es wird jedes Mal wieder geprüft.
cache-removing = Das Entfernen schafft { $size } Platz auf diesem System. Für die nächste Karte muss es dann wieder heruntergeladen werden. Schon erstellte Karten bleiben, wie sie sind.
cache-remove = Aufgehobenes Abbild entfernen
cache-busy = Das Abbild kann entfernt werden, wenn diese Karte fertig ist.
cache-watch = Zusehen
cache-none = Es ist kein Abbild aufgehoben.
cache-none-next = Das Abbild für die nächste Karte wird heruntergeladen und dann aufgehoben.
cache-unknown = Was aufgehoben ist, ist noch nicht bekannt.
cache-again = Noch einmal nachsehen

about-title = Über diese App und Diagnose
about-versions = Versionen
about-app = Diese App
about-os = Home Assistant OS
about-supervisor = Supervisor
about-core = Core
about-board = Gerät
about-unknown = nicht bekannt
about-places = Wo die Daten liegen
about-data = Diese App
about-data-in = { $path }: die Liste der Karten, ihre Protokolle und das aufgehobene Abbild. Das verschwindet mit der App.
about-data-nowhere = Es wird nichts aufgehoben.
about-backups = Sicherungen
about-backups-in = Bei denen von Home Assistant, unter Einstellungen › System › Backups. Sie bleiben, wenn die App entfernt wird.
about-paste = Das hier in die Meldung einfügen. Namen von Sicherungen und Netzen, Seriennummern, Adressen und Passwörter sind nicht darin.
about-logs = Jede Karte hat ihr eigenes Protokoll:
about-licences = Lizenzen
about-libraries = Die Bibliotheken im Programm haben eigene freie Lizenzen; sein Quelltext nennt sie alle.

error-no-job-title = Diesen Auftrag gibt es nicht
error-no-job-happened = Die Adresse stimmt nicht, oder der Auftrag ist so lange her, dass er nicht mehr bekannt ist.
error-no-job-todo = Unter den früheren Karten suchen oder zu den Datenträgern zurückgehen.
error-no-certificate-title = Es gibt kein Zertifikat
error-no-certificate-happened = Nur eine fertige Karte hat eines; diese ist es nicht.
error-no-certificate-todo = Beim Auftrag nachsehen, wie weit er kam.
error-no-log-title = Zu diesem Auftrag gibt es kein Protokoll
error-no-log-happened = Es wurde nichts aufgeschrieben, oder es konnte nicht aufgehoben werden.
error-no-log-todo = Beim Auftrag nachsehen, was über ihn bekannt ist.
error-long-form-title = Das Formular ist zu lang
error-long-form-happened = Es wurde nichts getan.
error-long-form-todo = Zurück zu den Datenträgern gehen und das Formular noch einmal ausfüllen.
error-stale-form-title = Diese Seite war veraltet
error-stale-form-happened = Die App wurde inzwischen neu gestartet. Es wurde nichts getan.
error-stale-form-todo = Den Knopf noch einmal drücken, wenn es immer noch gewünscht ist.
error-not-rendered-title = Diese Seite konnte nicht erstellt werden
error-not-rendered-happened = Laufende Arbeit geht weiter.
error-not-rendered-todo = Die Seite neu laden; wiederholt es sich, die App neu starten.

# What is cut off or turned away.
error-too-many-title = Zu viele Seiten sind offen
error-too-many-happened = Diese hier kann sich nicht von selbst auffrischen.
error-too-many-todo = Einige schließen, oder die Seite neu laden, um den Stand zu sehen.
error-slow-form-title = Das Formular kam nicht rechtzeitig an
error-slow-form-happened = Es wurde nichts getan.
error-slow-form-todo = Zurück zu den Laufwerken gehen und das Formular neu ausfüllen.
