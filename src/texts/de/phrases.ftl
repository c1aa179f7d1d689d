# Sätze, die mit einer Arbeit aufgehoben werden: Warnungen, was ein Schritt gerade tut, Ursachen in einem Problem.

warning-unhealthy = Home Assistant nennt dieses System „unhealthy“ ({ $why }). Eine Karte kann trotzdem erstellt werden.
warning-unsupported = Home Assistant nennt dieses System „unsupported“ ({ $why }). Eine Karte kann trotzdem erstellt werden.
warning-no-internet = Es gibt gerade kein Internet. Das neue System braucht es, um die Sicherung zurückzuspielen.
warning-update-pending = Home Assistant OS { $version } ist installiert und wartet auf einen Neustart. Bitte zuerst neu starten.
warning-external-data-disk = Ein externer Datenträger ist in Gebrauch. Sein Inhalt ist in der Sicherung; die neue Karte würde ihn abschalten. Bitte vor dem ersten Start der neuen Karte abziehen.
warning-local-apps = Der Ordner der lokalen Apps fehlt in vollständigen Sicherungen. Bitte vor dem Tausch selbst sichern.
warning-without-database = Diese Sicherung wurde ohne die Datenbank erstellt: Der Verlauf wird auf der neuen Karte leer sein.
warning-other-version = Die laufende Version gibt es nicht als Abbild; die Karte bekommt stattdessen { $version }.
warning-room-for-restore = Eine Sicherung von { $backup } zurückzuspielen braucht vorübergehend etwa { $room }. Eine größere Karte ist sicherer.
warning-ledger-set-aside = Die Liste früherer Karten war nicht lesbar ({ $why }). Sie liegt nun als { $name } beiseite; eine neue wurde begonnen.
warning-ledger-newer = Die Liste früherer Karten stammt von einer neueren Version dieser App. Sie bleibt unverändert als { $name } erhalten; eine neue wurde begonnen.
warning-ledger-partly = { $n } Einträge in der Liste früherer Karten waren nicht lesbar. Die bisherige Liste bleibt als { $name } erhalten.
warning-ledger-in-the-way = Die Liste früherer Karten lässt sich weder lesen ({ $why }) noch beiseitelegen. Sie bleibt, wie sie ist, und neue Karten werden nicht gemerkt.
warning-cannot-save = Die App kann ihren Stand nicht speichern ({ $why }). Bitte Platz schaffen.
warning-backup-without-database = Die Verlaufsdatenbank ist nicht in dieser Sicherung: Die neue Karte beginnt mit leerem Verlauf.
warning-local-apps-missing = Der Ordner der lokalen Apps (addons/local) ist nicht in dieser Sicherung: Bitte vor dem Tausch von Hand kopieren.
warning-backup-needs-key = Diese Sicherung ist verschlüsselt: Beim Zurückspielen wird nach ihrem Schlüssel gefragt.
warning-app-not-in-backup = { $part } ist nicht in der Sicherung: { $said }
warning-folder-not-in-backup = Der Ordner { $part } ist nicht in der Sicherung: { $said }
warning-core-not-in-backup = Home Assistant ist nicht vollständig in der Sicherung: { $said }
warning-settings-not-in-backup = Einstellungen des Supervisors sind nicht in der Sicherung: { $said }
warning-backup-part-failed = Ein Teil der Sicherung ist fehlgeschlagen: { $said }
warning-backup-unseen = Der Supervisor wurde neu gestartet, während er die Sicherung erstellte; die Sicherung selbst ist vollständig.
warning-backup-continues = Home Assistant erstellt die Sicherung weiter. Sie bleibt und kann nächstes Mal gewählt werden.

note-checking-new-backup = Die Sicherung wird geprüft
note-checking-chosen-backup = Die gewählte Sicherung wird geprüft
note-checking-backup-file = Die Sicherungsdatei wird geprüft
note-no-backup = Auf diese Karte kommt keine Sicherung
note-image-kept = Von einer früheren Karte aufgehoben; noch einmal geprüft

why-no-supervisor = Hier gibt es keinen Supervisor.
why-no-version = Er hat nicht gesagt, welche Version läuft.
why-not-listed = Sie steht nicht mehr in der Liste von Home Assistant.
why-partial = Es ist eine Teilsicherung: Sie enthält nicht das ganze System.
why-no-key = Sie ist verschlüsselt, und es wurde nicht bestätigt, dass ihr Schlüssel vorliegt.
why-no-file = Ihre Datei ist nicht im Backup-Ordner dieses Geräts.
why-not-a-url = { $url } ist keine URL.
why-image-is = Es ist: { $found }.
why-image-cut = Sein Ende fehlt.
why-image-damaged = Es ist beschädigt: { $what }.
why-image-memory = Es braucht zu viel Arbeitsspeicher zum Entpacken.
why-unreadable-place = sie konnte nicht gelesen werden
why-app-ending = Die App wird gerade beendet.
why-no-random = Das System hat keine Zufallszahlen geliefert.
why-asking-broke = Die Anfrage endete unerwartet.
why-judging-broke = Die Prüfung, was dagegen spricht, endete unerwartet.
why-work-broke = Die Arbeit endete unerwartet.
why-said-nothing = Die Arbeit endete, ohne einen Grund zu nennen.
why-happened-while = Es geschah bei: { $what }.
why-backup-hung = seit { $minutes } Minuten nichts, während gesichert wurde: { $doing }. Core neu zu starten kann helfen.
why-supervisor-restarted = nichts: Der Supervisor wurde mittendrin neu gestartet.

said-no-token = Die App wurde ohne Token für den Supervisor gestartet.
said-unauthorized = Der Supervisor nimmt das Token der App nicht an.
said-forbidden = Der Supervisor erlaubt dieser App das nicht.
said-not-ready = Der Supervisor ist nicht bereit: { $said }
said-refused = Der Supervisor sagt: { $said }
said-trouble = Der Supervisor antwortet mit dem Fehler { $status }.
said-silent = Der Supervisor hat innerhalb von { $seconds } Sekunden nicht geantwortet.
said-unreachable = Der Supervisor ist nicht erreichbar.
said-lost = Die Verbindung zum Supervisor ist abgebrochen.
said-garbled = Die Antwort des Supervisors ist nicht zu verstehen.
said-stopped = Angehalten.

note-left-out = Weggelassen, wie gewünscht
note-backing-up = { $part } wird gesichert
note-backup-starting = Beginnt
note-backup-stores = Die Liste der App-Stores
note-backup-core = Home Assistant
note-backup-apps = Apps
note-backup-folders = Ordner
note-backup-settings = Einstellungen des Supervisors
note-backup-finishing = Die Datei wird abgeschlossen
note-backup-copies = Kopien an andere Orte
note-backup-restarts = Warten, bis Apps wieder laufen
warning-not-verified = Die Karte wurde nicht zurückgelesen, wie gewünscht.
warning-blocks-rewritten = { $count } Stellen wurden erst nach erneutem Schreiben richtig gelesen: { $places }.

# What of name and network stays behind (the field is named as in Home Assistant's answer).
warning-hostname-left = Der Name dieses Systems konnte nicht mitgenommen werden: Die neue Karte heißt homeassistant, bis das geändert wird.
warning-network-left = Die Netzwerkeinstellungen dieses Systems sind nicht bekannt und bleiben zurück: Die neue Karte bekommt ihre Adresse vom Router.
warning-interface-left = Die Netzwerkeinstellungen von { $interface } waren nicht verständlich ({ $field }) und bleiben zurück: Bitte auf der neuen Karte neu einrichten.
warning-wifi-left = Das WLAN-Passwort wurde nicht angegeben: Bitte ein Netzwerkkabel an das neue System anschließen oder ihr WLAN ({ $interface }) neu einrichten.
warning-wifi-password-left = Das angegebene kann nicht das WLAN-Passwort sein: Bitte ein Netzwerkkabel an das neue System anschließen oder ihr WLAN ({ $interface }) neu einrichten.
