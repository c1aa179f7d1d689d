# Der Tausch der Karte und was darauf folgt. Gelesen bei ausgeschaltetem Gerät, mit Sorge: kurz, ruhig, eine Handlung je Satz.

swap-title = Jetzt die Karte tauschen
swap-back-job = Zurück zur fertigen Karte
swap-back-out = Zurück zu Home Assistant

swap-keep-title = Diese Seite offen lassen
swap-keep = Home Assistant ist währenddessen ausgeschaltet. Diese Seite braucht dabei niemanden; im ganzen Fenster wartet sie auf die neue Karte und stellt alles fertig. Sicherheitshalber vor Schritt 2 ausdrucken oder auf dem Telefon öffnen.
swap-data-disk-title = Ein externer Datenträger ist in Gebrauch
swap-data-disk = Sein Inhalt ist in der Sicherung; die neue Karte würde ihn abschalten. Bei Schritt 3 abziehen, später entscheiden.
swap-gaps-title = Fertig, mit Lücken
swap-gaps-todo = Das bitte vor dem Tausch selbst sichern.
swap-key-title = Den Schlüssel der Sicherung bereithalten
swap-key = Die Sicherung ist verschlüsselt. Bei Schritt 6 wird nach ihrem Schlüssel gefragt; ohne ihn lässt sich nichts zurückspielen.
swap-news-title = Gut zu wissen

swap-one = Jetzt die neue Karte aus dem Leser nehmen
swap-one-still = Im Leser steckt noch eine Karte.
swap-one-why = Stecken bei einem Stromausfall beide Karten, kann die falsche starten.
swap-one-neither = Falls Home Assistant anbietet, einen Datenträger umzubenennen oder zu übernehmen („rename“, „adopt“): keins von beiden tun.
swap-two = Dieses Home Assistant ausschalten
swap-two-how = Einstellungen › System › Ein/Aus-Knopf oben rechts › Erweiterte Optionen › System herunterfahren.
swap-two-never = Auf keinen Fall neu starten.
swap-two-tab = Diese Einstellungen in einem anderen Tab öffnen
swap-three = Wenn das Licht ruhig ist, den Stecker ziehen
swap-three-data-disk = Auch den externen Datenträger abziehen.
swap-four = Die alte Karte herausnehmen
swap-four-is = Es ist: { $name }.
swap-four-keep = Aufheben: Sie ist der Weg zurück.
swap-five = Die neue Karte dort einstecken, wo die alte war
swap-five-how = Den Leser leer lassen. Den Strom einstecken.
swap-five-wait = Der erste Start dauert 5 bis 20 Minuten und braucht das Internet.
swap-six = Fertigstellen
swap-six-open = Eine dieser Adressen öffnen und von Hand fertigstellen. Eigener Name, https und DNS kommen mit dem Zurückspielen wieder; bis dahin gelten diese:
swap-six-account = Irgendein Konto anlegen.
swap-six-backups = Einstellungen › System › Backups:
swap-six-restore = Alles ankreuzen. Wiederherstellen.
swap-six-key = Den Schlüssel der Sicherung eingeben.
swap-six-returns = Home Assistant startet dabei neu; das ist normal. Das eigene Konto kommt zurück.
swap-six-none = Auf dieser Karte ist keine Sicherung: Home Assistant neu einrichten.

swap-slot-rpi = Der Schacht ist an der Unterseite des Raspberry Pi, an der kurzen Seite gegenüber den USB-Anschlüssen.
swap-slot-rpi4 = Der Schacht ist an der Unterseite des Raspberry Pi, an der kurzen Seite gegenüber den USB-Anschlüssen; bei einem Raspberry Pi 400 an der Rückseite.
swap-slot-rpi5 = Der Schacht ist an der Unterseite des Raspberry Pi, an der kurzen Seite gegenüber den USB-Anschlüssen; bei einem Raspberry Pi 500 an der Rückseite.
swap-slot-odroid = Es ist eine Speicherkarte im Schacht am Rand der Platine oder ein kleines Speichermodul (eMMC), das auf die Platine gedrückt ist. Herausnehmen, was davon da ist.
swap-slot-card-or-fixed = Sie ist im Kartenschacht am Rand der Platine. Liegt das System in eingebautem Speicher, lässt es sich nicht herausnehmen, und das Gerät startet vielleicht nicht von der neuen Karte: vor Schritt 2 in der Anleitung des Herstellers nachsehen.
swap-slot-fixed = Das System liegt in eingebautem Speicher, der sich nicht herausnehmen lässt. Das Gerät startet vielleicht nicht von selbst von der neuen Karte: vor Schritt 2 in der Anleitung des Herstellers nachsehen.
swap-slot-yellow = Es ist die SSD im M.2-Steckplatz im Inneren. Liegt das System im Speicher des Compute-Moduls, lässt es sich nicht herausnehmen, und das Gerät startet vielleicht nicht vom neuen Datenträger: vor Schritt 2 in der Anleitung des Herstellers nachsehen.
swap-slot-usb = Sie ist an einem USB-Anschluss eingesteckt.
swap-slot-nvme = Es ist die SSD im M.2-Steckplatz, meist im Inneren des Gehäuses.
swap-slot-sata = Es ist ein Datenträger im Inneren des Gehäuses, an einem SATA-Stecker.
swap-slot-computer = Es ist der Datenträger im Inneren des Gehäuses oder einer an einem USB-Anschluss.
swap-slot-unknown = Es ist die Karte oder der Datenträger, von dem Home Assistant jetzt startet.

swap-take-title = Diese Schritte mitnehmen
swap-take-panel = Auf dem Telefon, vor Schritt 2: diese Adresse öffnen, anmelden, „Jetzt tauschen“ wählen.
swap-take-root = Auf dem Telefon, vor Schritt 2: diese Adresse öffnen, anmelden, diese App öffnen, „Jetzt tauschen“ wählen.
swap-take-own = Auf dem Telefon, vor Schritt 2: diese Adresse öffnen.
swap-take-paper = Oder diese Seite ausdrucken oder fotografieren.
swap-qr-label = QR-Code: { $address }
swap-print = Drucken

swap-lost-title = Wenn die neue Karte nicht gefunden wird
swap-lost-wait = Warten: Der erste Start dauert bis zu 20 Minuten und braucht das Internet.
swap-lost-check = Licht, Karte und Netzwerkkabel prüfen.
swap-lost-try = Jede Adresse aus Schritt 6 versuchen.
swap-lost-old = Die alte Karte geht noch: Stecker ziehen, Karten zurücktauschen, den Leser leer lassen, Strom einstecken.

swap-card-title = Was auf der neuen Karte ist
swap-card-name = Karte
swap-card-system = System
swap-card-version = Home Assistant OS { $version }
swap-card-backup = Sicherung
swap-card-none = keine
swap-card-made = Erstellt

# Fertigstellen durch die Seite selbst; die Lagen stehen in finish.ftl, außer denen, die nur eine Seite antrifft.
swap-finish-whole = Hier, in Home Assistants eigener Seite, lässt sich nichts fertigstellen: Sie verschwindet mit Home Assistant. Vor Schritt 2:
swap-finish-whole-open = diese Seite im ganzen Fenster öffnen
swap-finish-key = Schlüssel der Sicherung
swap-finish-key-send = Mit diesem Schlüssel wiederherstellen
swap-finish-again = Noch einmal versuchen
swap-finish-open = Home Assistant öffnen
finish-unread-title = Home Assistant spielt noch nichts zurück
finish-unread-happened = Es hat abgelehnt; den Grund kann diese Seite nicht lesen.
finish-unread-todo = Das Gerät eingeschaltet lassen, mit Internet und leerem Leser: Alle halbe Minute folgt ein neuer Versuch. Dauert es länger, unten von Hand fertigstellen.
finish-elsewhere-title = Diese Seite kann das nicht fertigstellen
finish-elsewhere-happened = Sie wurde über https oder auf eigenem Weg geöffnet; das neue System beginnt mit http.
finish-elsewhere-todo = Nach Schritt 5 unten von Hand fertigstellen, oder das alte System jetzt unter einer dieser Adressen öffnen und hier neu beginnen.
