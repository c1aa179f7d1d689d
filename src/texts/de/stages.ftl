# Die Schritte einer Arbeit: was ein Schritt tut, dasselbe im Lauf, und was danach auf der Karte ist.

stage-preflight = Karte und System prüfen
stage-backup = Vollständige Sicherung erstellen
stage-download = Home Assistant OS herunterladen
stage-download-version = Home Assistant OS { $version } herunterladen
stage-write = Das System auf die Karte schreiben
stage-verify = Zurücklesen und vergleichen
stage-grow = Die ganze Karte nutzbar machen
stage-inject = Die Sicherung auf die Karte legen
stage-commit = Die Karte startbar machen

doing-preflight = Karte und System werden geprüft
doing-backup = eine vollständige Sicherung wird erstellt
doing-download = Home Assistant OS wird heruntergeladen
doing-write = das System wird auf die Karte geschrieben
doing-verify = es wird zurückgelesen und verglichen
doing-grow = die ganze Karte wird nutzbar gemacht
doing-inject = die Sicherung wird auf die Karte gelegt
doing-commit = die Karte wird startbar gemacht

card-untouched = Die Karte ist unverändert.
card-blank = Die Karte ist jetzt leer und kann wieder verwendet werden.
card-finished = Die Karte ist fertig.
card-unknown = Die Karte konnte danach nicht gelesen werden. Nichts davon starten; die Karte neu erstellen.
