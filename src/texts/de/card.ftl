# Bestätigen, dass ein Datenträger gelöscht wird.

card-title = Diese Karte löschen und zum neuen System machen?
# Instead, where no answer could make it work.
card-not-now = Diese Karte kann jetzt nicht erstellt werden
card-problem = Etwas stimmt noch nicht

card-where = Wo
card-plugged = Eingesteckt
card-on-it = Jetzt darauf
card-lost = Alles davon geht verloren.

# Was geschehen wird, in einem Satz aus Teilen.
card-does = Dabei wird { $backup }, { $image }, dieser Datenträger gelöscht und beschrieben und die Sicherung darauf gelegt.
card-does-backup-new = eine vollständige Sicherung erstellt
card-does-backup-old = die gewählte Sicherung verwendet
card-does-image = Home Assistant OS { $version } heruntergeladen
card-does-image-size = Home Assistant OS { $version } heruntergeladen ({ $size })
card-does-image-kept = das aufgehobene Abbild von Home Assistant OS { $version } verwendet
card-does-image-unnamed = Home Assistant OS heruntergeladen
card-takes-usual = Etwa 20 bis 50 Minuten.
card-takes-minutes = Etwa { $from } bis { $to } Minuten.
card-takes-hours = Etwa { $from } bis { $to } Stunden.
card-keeps-running = Home Assistant läuft weiter. Die jetzige Karte wird nur gelesen.

card-agree = Alles löschen auf
card-size = Welche Größe ist auf die Karte gedruckt, in GB?
card-size-hint = Die Karte in die Hand nehmen oder im Leser ansehen. Zum Beispiel: 64

card-options = Optionen: Sicherung, Version, Netzwerk
card-backup = Sicherung
card-backup-new = Jetzt eine neue vollständige Sicherung erstellen
card-backup-encrypted = verschlüsselt: ihr Schlüssel wird beim Wiederherstellen verlangt
card-backup-no-database = ohne die Datenbank des Verlaufs
card-backup-partial = nicht verwendbar: sie enthält nur einen Teil des Systems
card-have-key = Der Schlüssel der verschlüsselten Sicherung liegt vor; er wird beim Wiederherstellen verlangt
card-version = Version von Home Assistant OS
card-version-running = Wie jetzt
card-version-latest = Die neueste
card-begin = Diese Karte löschen und beginnen
card-other = Einen anderen Datenträger wählen

card-error-agree = Das Kästchen ankreuzen: alles auf diesem Datenträger darf gelöscht werden
card-error-size = Die auf die Karte gedruckte Größe eingeben, zum Beispiel 64
card-error-other-size = { $size } passt nicht zu diesem Datenträger. Bitte prüfen, ob es der richtige ist
card-error-backup = Eine Sicherung aus der Liste wählen
card-error-key = Das Kästchen ankreuzen: der Schlüssel dieser Sicherung liegt vor
card-error-version = Eine Version aus der Liste wählen

error-disk-gone-title = Dieser Datenträger ist nicht mehr eingesteckt
error-disk-gone-happened = Er wurde herausgezogen, oder die App wurde neu gestartet und nennt ihn jetzt anders. Es wurde nichts getan.
error-disk-gone-todo = Einstecken, zurück zu den Datenträgern gehen und ihn dort wählen.

# Name and network of this system go along.
card-keeps-both = Die neue Karte behält die Adresse { $address } und den Namen { $name }.
card-keeps-address = Die neue Karte behält die Adresse { $address }.
card-keeps-name = Die neue Karte behält den Namen { $name }.
card-keeps-name-by-router = Die neue Karte behält den Namen { $name }; ihre Adresse kommt vom Router, wie jetzt.
card-keeps-wifi-asked = Sie verbindet sich mit dem WLAN { $wifi }, wenn unten sein Passwort eingegeben wird.
card-keeps-wifi-asked-address = Sie verbindet sich mit dem WLAN { $wifi } und der Adresse { $address }, wenn unten sein Passwort eingegeben wird.
card-keeps-wifi-open = Sie verbindet sich mit dem WLAN { $wifi }.
card-keeps-wifi-open-address = Sie verbindet sich mit dem WLAN { $wifi } und der Adresse { $address }.
card-keeps-nothing = Name, Adressen und WLAN dieses Systems bleiben zurück, wie gewählt: Die neue Karte heißt homeassistant und bekommt ihre Adresse vom Router.
card-wifi = WLAN-Passwort für
card-wifi-hint = Home Assistant gibt es nicht preis. Es wird nur für diese Karte verwendet und sonst nirgends aufgehoben. Ohne es muss das WLAN neu eingerichtet werden, und bis dahin braucht die neue Karte ein Netzwerkkabel.
card-cable = Zum ersten Start wird ein Netzwerkkabel angeschlossen
card-network = Netzwerk
card-network-keep = Name, Adressen und WLAN dieses Systems behalten
card-error-wifi = Das WLAN-Passwort eingeben oder ankreuzen, dass ein Kabel angeschlossen wird
card-error-wifi-odd = Das kann nicht das Passwort dieses WLANs sein. So eingeben, wie es die anderen Geräte haben
