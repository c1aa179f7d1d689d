# Den Umzug fertigstellen: was das neue System zeigt, Titel, was geschehen ist, was zu tun ist. Jede Lage hat die drei unter
# ihrem Namen in docs/finish.md. Gelesen von jemandem, dessen Zuhause gerade aus ist.

finish-old-home-title = Wartet auf den Tausch der Karten
finish-old-home-happened = Ein eingerichtetes Home Assistant antwortet. Es wird nicht angetastet.
finish-old-home-todo = Ist noch die alte Karte eingesteckt: Home Assistant ausschalten und die neue Karte einstecken. Sind die Karten schon getauscht: das Zuhause ist wieder da, Anmeldung unter { $link }

finish-booting-title = Es ist aus oder startet
finish-booting-happened = { $minutes ->
    [0] Nichts antwortet.
    [one] Seit einer Minute antwortet nichts.
   *[other] Seit { $minutes } Minuten antwortet nichts.
}
finish-booting-todo = Warten: Der erste Start dauert 5 bis 20 Minuten und braucht das Internet.

finish-not-found-title = Die neue Karte wurde nicht gefunden
finish-not-found-happened = Seit { $minutes } Minuten antwortet nichts.
finish-not-found-todo = Licht, Karte und Netzwerkkabel prüfen. Die anderen Adressen des Geräts versuchen. Die alte Karte geht noch.

finish-landing-title = Home Assistant bereitet sich auf der neuen Karte vor
finish-landing-happened = Das neue System läuft und lädt Home Assistant herunter.
finish-landing-todo = Warten: Das dauert bis zu 20 Minuten und braucht das Internet.

finish-starting-title = Home Assistant startet auf der neuen Karte
finish-starting-happened = Es antwortet, ist aber noch nicht bereit.
finish-starting-todo = Einige Minuten warten.

finish-stranger-title = Etwas anderes antwortet
finish-stranger-happened = Was unter { $host } antwortet, spricht nicht wie Home Assistant.
finish-stranger-todo = Warten, falls die neue Karte eben erst gestartet wurde. Sonst die Adresse prüfen.

finish-looking-title = Die Sicherung wird gesucht
finish-looking-happened = Das neue System ist bereit, zeigt die Sicherung aber noch nicht.
finish-looking-todo = Zwei Minuten warten.

finish-found-title = Die neue Karte ist gefunden
finish-found-happened = Darauf liegt diese Sicherung: { $name }
finish-found-todo = Bestätigen, dass sie zurückgespielt werden soll.

finish-key-needed-title = Die Sicherung braucht ihren Schlüssel
finish-key-needed-happened = Die Sicherung „{ $name }“ ist verschlüsselt.
finish-key-needed-todo = Den Schlüssel aus dem Notfallkit von Home Assistant eingeben. Er geht nur an das neue System und wird nirgends gespeichert.

finish-key-wrong-title = Der Schlüssel passt nicht
finish-key-wrong-happened = Home Assistant hat den Schlüssel nicht angenommen. Es wurde nichts verändert.
finish-key-wrong-todo = Den Schlüssel noch einmal eingeben, mit allen Bindestrichen. Es muss der sein, der galt, als die Sicherung erstellt wurde.

finish-must-update-title = Das neue System muss sich erst aktualisieren
finish-must-update-happened = Die Sicherung stammt von einem neueren Supervisor. Das neue System aktualisiert seinen von selbst.
finish-must-update-todo = Warten: Es wird eine halbe Stunde lang jede Minute neu versucht.

finish-no-internet-title = Das neue System hat kein Internet
finish-no-internet-happened = Ohne Internet spielt Home Assistant nichts zurück: Es muss die Apps herunterladen.
finish-no-internet-todo = Netzwerkkabel und Router prüfen. Es wird jede halbe Minute neu versucht.

finish-supervisor-starting-title = Home Assistant startet noch
finish-supervisor-starting-happened = Vor dem Ende des eigenen Starts spielt es nichts zurück.
finish-supervisor-starting-todo = Warten: Es wird alle paar Sekunden neu versucht.

finish-old-card-in-title = Die alte Karte steckt noch im Gerät
finish-old-card-in-happened = Home Assistant sieht zwei Installationen und spielt nichts zurück.
finish-old-card-in-todo = Das Gerät ausschalten (Ein-/Ausschalter drücken, oder bei ruhigem Licht den Stecker ziehen), die alte Karte oder den alten Datenträger herausnehmen und wieder einschalten. Dann geht es von selbst weiter.

finish-unhealthy-title = Home Assistant hält das neue System für nicht gesund
finish-unhealthy-happened = Es spielt nichts zurück. Es sagt: { $said }
finish-unhealthy-todo = Die Ursache beheben und das Gerät neu starten; dann geht es von selbst weiter. Oder von Hand zurückspielen: { finish-by-hand }

finish-trouble-title = Home Assistant konnte nicht mit dem Zurückspielen beginnen
finish-trouble-happened = Es nannte keinen Grund.
finish-trouble-todo = Warten: Es wird jede halbe Minute nachgesehen und neu versucht.

finish-restoring-title = Alles wird zurückgespielt
finish-restoring-happened = { $doing }
finish-restoring-todo = Das Gerät eingeschaltet und dies hier offen lassen. Home Assistant startet dabei neu; das ist normal.

finish-restarting-title = Es wird zurückgespielt: Home Assistant startet neu
finish-restarting-happened = Die Konfiguration ist da; die Apps werden installiert, während nichts antwortet. Das dauert am längsten.
finish-restarting-todo = Das Gerät eingeschaltet lassen. Je nach Apps dauert es Minuten bis zu einer Stunde.

finish-busy-title = Auf dem neuen System läuft etwas anderes
finish-busy-happened = Dort wird gerade gesichert oder zurückgespielt, vielleicht für diesen Umzug. Es wird kein zweites Mal begonnen.
finish-busy-todo = Warten.

finish-interrupted-title = Das Zurückspielen wurde unterbrochen
finish-interrupted-happened = Home Assistant ist da, als wäre nichts gewesen. Vielleicht war der Strom weg.
finish-interrupted-todo = Neu versuchen. Oder von Hand zurückspielen: { finish-by-hand }

finish-failed-before-title = Das Zurückspielen ist gescheitert
finish-failed-before-happened = Es wurde nichts verändert. Home Assistant sagt: { $said }
finish-failed-before-todo = Neu versuchen. Oder von Hand zurückspielen: { finish-by-hand }

finish-failed-after-title = Das Zurückspielen ist gescheitert
finish-failed-after-happened = Home Assistant ist wieder da, aber leer. Die Sicherung liegt noch auf der Karte.
finish-failed-after-todo = Neu versuchen. Oder von Hand zurückspielen: { finish-by-hand }

finish-still-refused-title = Home Assistant spielt weiterhin nichts zurück
finish-still-refused-happened = Es wurde lange versucht. Home Assistant sagt: { $said }
finish-still-refused-todo = Prüfen, ob das Gerät Internet hat, es eine Weile laufen lassen und dann neu versuchen. Oder von Hand zurückspielen: { finish-by-hand }

finish-refused-title = Das Zurückspielen wurde abgelehnt
finish-refused-happened = Home Assistant sagt: { $said }
finish-refused-todo = Neu versuchen. Oder von Hand zurückspielen: { finish-by-hand }

finish-no-space-title = Die neue Karte ist zu klein
finish-no-space-happened = Das Zurückspielen braucht mehr Platz, als frei ist. Home Assistant sagt: { $said }
finish-no-space-todo = Eine größere Karte erstellen. Die alte Karte geht noch.

finish-without-core-title = Diese Sicherung lässt sich hier nicht zurückspielen
finish-without-core-happened = Sie enthält die Konfiguration von Home Assistant nicht.
finish-without-core-todo = Eine andere Sicherung nehmen: auf der ersten Seite des neuen Systems „Backup hochladen“.

finish-not-listed-title = Die Sicherung ist nicht auf der neuen Karte
finish-not-listed-happened = Das neue System zeigt sie nicht. Es zeigt: { $list }
finish-not-listed-todo = Die Sicherung auf der ersten Seite des neuen Systems hochladen, „Backup hochladen“. Die alte Karte geht noch.

finish-several-title = Auf der neuen Karte liegen mehrere Sicherungen
finish-several-happened = Es sind: { $list }
finish-several-todo = Angeben, welche gemeint ist.

finish-set-up-anew-title = Jemand richtet ein neues Zuhause ein
finish-set-up-anew-happened = Auf dem neuen System wurde ein Konto angelegt; von hier aus geht nichts mehr.
finish-set-up-anew-todo = Mit diesem Konto anmelden. Einstellungen › System › Backups: die Sicherung wählen, alles ankreuzen, wiederherstellen. Das eigene Konto kommt zurück.

finish-hanging-title = Das Zurückspielen kommt zu keinem Ende
finish-hanging-happened = Es läuft seit { $minutes } Minuten.
finish-hanging-todo = Licht und Bildschirm des Geräts ansehen. Wenn sich nichts rührt: Stecker ziehen, neu starten und noch einmal fertigstellen. Die alte Karte geht noch.

finish-gave-up-title = Aufgegeben
finish-gave-up-happened = Es wurde { $minutes } Minuten gewartet.
finish-gave-up-todo = Neu beginnen, wenn die neue Karte läuft. Die alte Karte geht noch.

finish-done-title = Fertig. Home Assistant läuft von der neuen Karte.
finish-done-happened = Das Zuhause ist wieder da. Einzelne Apps starten vielleicht noch.
finish-done-todo = Unter { $link } mit dem eigenen Konto anmelden. Die alte Karte eine Woche aufheben.

finish-done-https-title = Fertig. Home Assistant läuft von der neuen Karte.
finish-done-https-happened = Unverschlüsselt antwortet es nicht mehr, wie es ein Zuhause mit https tut.
finish-done-https-todo = Das Zuhause unter seiner eigenen Adresse öffnen, oder unter { $link } Die alte Karte eine Woche aufheben.

finish-done-not-set-up-title = Fertig. Die Sicherung ist zurückgespielt.
finish-done-not-set-up-happened = Das Zuhause in der Sicherung war selbst noch nicht eingerichtet.
finish-done-not-set-up-todo = Es unter { $link } einrichten.

finish-doing-begin = Home Assistant beginnt.
finish-doing-folders = Ordner und Medien werden zurückgespielt.
finish-doing-home-assistant = Die Konfiguration wird zurückgespielt.
finish-doing-addon-repositories = Die Quellen der Apps werden zurückgespielt.
finish-doing-addons = Die Apps werden installiert.
finish-doing-supervisor-config = Die Einstellungen werden zurückgespielt.
finish-doing-await-addon-restarts = Es wartet, bis die Apps gestartet sind.
finish-doing-await-home-assistant-restart = Es wartet, bis Home Assistant gestartet ist.

finish-by-hand = auf dem neuen System irgendein Konto anlegen, dann Einstellungen › System › Backups, alles ankreuzen, wiederherstellen; oder an seiner Konsole: ha backups restore { $slug }; oder „Backup hochladen“ auf seiner ersten Seite.

finish-leave-open = Das Zurückspielen geht weiter, aber Home Assistant vergisst, dass es läuft: Es nennt sich solange „idle“. Kein zweites beginnen.
finish-leave-running = Das Zurückspielen geht weiter.
finish-leave-watch = Zum Zusehen: { $command }
