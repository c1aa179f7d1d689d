# Startseite: dieses System, die Datenträger, was gerade erstellt wird.

home-title = Eine neue Karte erstellen
home-heading = Eine neue Karte für dieses Home Assistant erstellen

home-running = Eine Karte wird erstellt: { $percent } %
home-stopping = Es wird angehalten. Die Karte noch nicht herausziehen.
home-watch = Zusehen
home-ready = Die neue Karte ist fertig
home-ready-made = { $name } wurde erstellt, zurückgelesen und verglichen.
home-ready-take-out = Jetzt aus dem Leser nehmen.
home-ready-swap = Jetzt kommt sie an den Platz der alten.
home-swap-now = Jetzt tauschen
home-see-done = Ansehen, was getan wurde

home-system = Dieses System
home-system-asking = Home Assistant wird nach diesem System gefragt …
home-system-silent = Home Assistant hat nichts über dieses System mitgeteilt.
home-board = Gerät
home-os = System
home-os-version = Home Assistant OS { $version }
home-os-newest = Home Assistant OS { $version } (neueste Version: { $latest })
home-free = Frei
home-backup-about = Sicherung etwa { $size } (erwartet)
home-runs-from = Läuft von
home-need = Neue Karte
home-or-more = { $size } oder mehr

home-usable = Verwendbare Datenträger
home-looking = Datenträger werden gesucht …
home-failed-title = Die Datenträger konnten nicht aufgelistet werden
home-failed-todo = Die App neu starten; wiederholt es sich, das Protokoll schicken.
home-one-at-a-time = Jetzt keine. Nur eine Karte zur selben Zeit: die nächste kann gewählt werden, wenn diese fertig ist.
home-not-now = Jetzt keine: { $why }.
home-none-yet = Noch keine. Einen USB-Leser mit der neuen Karte einstecken. Diese Seite bemerkt es von selbst.
home-empty-reader = { $name }: keine Karte darin. Die neue Karte einlegen. Diese Seite bemerkt es von selbst.
home-plugged = eingesteckt { $when }
home-on-it = Jetzt darauf:
home-twin-last = Er sieht genauso aus wie ein anderer. Dieser wurde zuletzt eingesteckt.
home-twin-earlier = Er sieht genauso aus wie ein anderer. Dieser wurde früher eingesteckt.
home-use = Diese Karte verwenden
home-refused = Nicht verwendbare Datenträger

home-technical = Technische Einzelheiten
home-machine = Maschine
home-supervisor = Supervisor
home-core = Core
home-state = Zustand
home-device = Gerätedatei
home-connected = Angeschlossen an
home-serial = Seriennummer
home-no-serial = keine
home-fingerprint = Fingerabdruck
home-no-fingerprint = keiner: er konnte nicht gelesen werden

home-more = Weitere Seiten
home-earlier = { $n ->
    [0] Frühere Karten
   *[other] Frühere Karten ({ $n })
}
home-cache = Aufgehobenes Systemabbild
home-about = Über diese App, Diagnose

# Für Bildschirmleser.
home-plugged-in = { $name }, eingesteckt.
home-pulled-out = { $name }, herausgezogen.
home-no-card = { $name }: keine Karte darin.
home-can-be-used = { $n ->
    [0] Jetzt ist kein Datenträger verwendbar.
    [one] 1 Datenträger ist verwendbar.
   *[other] { $n } Datenträger sind verwendbar.
}
