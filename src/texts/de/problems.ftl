# Was schiefgehen kann: Titel, was geschah, was man tun kann.

problem-disk-may-not-open-title = Dieser Datenträger darf noch nicht geöffnet werden
problem-disk-may-not-open-happened = Home Assistant gibt der App einen Datenträger in dem Augenblick, in dem er eingesteckt wird; dieser wurde verweigert, meist weil schon ein Home-Assistant-System darauf ist.
problem-disk-may-not-open-todo = Abziehen und wieder einstecken. Immer noch verweigert: die App mit eingesteckter Karte neu starten, die Karte an einem Computer löschen oder eine andere nehmen.

problem-no-reader-title = Kein Kartenleser gefunden
problem-no-reader-happened = Es ist nichts Wechselbares eingesteckt.
problem-no-reader-todo = Einen USB-Leser mit einer Karte von { $need } oder mehr einstecken. Diese Seite bemerkt es von selbst.

problem-card-too-small-title = Die Karte ist zu klein
problem-card-too-small-happened = Sie fasst { $has }; nötig sind { $need }.
problem-card-too-small-todo = Eine größere Karte nehmen.

problem-card-protected-title = Die Karte ist schreibgeschützt
problem-card-protected-happened = Ihr Schreibschutz ist eingeschaltet.
problem-card-protected-todo = Herausnehmen, den Schieber nach oben schieben, wieder einstecken.

problem-no-image-for-board-title = Kein Systemabbild für dieses Gerät
problem-no-image-for-board-happened = Es gibt kein aktuelles Home Assistant OS für { $board }.
problem-no-image-for-board-todo = Eine Sicherung allein hilft trotzdem: Einstellungen › System › Backups.

problem-already-running-title = Es wird schon eine Karte erstellt
problem-already-running-happened = Nur eine zur selben Zeit.
problem-already-running-todo = Dabei zusehen oder sie zuerst anhalten.

problem-disk-changed-title = Der Datenträger ist ein anderer
problem-disk-changed-happened = Eingesteckt ist nicht, was bestätigt wurde.
problem-disk-changed-todo = Noch einmal nachsehen und noch einmal bestätigen.

problem-no-room-for-backup-title = Nicht genug Platz für die Sicherung
problem-no-room-for-backup-happened = { $free } frei, etwa { $need } nötig.
problem-no-room-for-backup-todo = Alte Sicherungen löschen, dann noch einmal versuchen.

problem-backup-failed-title = Die Sicherung ist fehlgeschlagen
problem-backup-failed-happened = Home Assistant sagt: { $said }
problem-backup-failed-todo = In den Einstellungen eine Sicherung erstellen, um die Ursache zu sehen, dann noch einmal versuchen.

problem-backup-running-title = Es läuft schon eine Sicherung
problem-backup-running-happened = Nur eine zur selben Zeit.
problem-backup-running-todo = Noch einmal versuchen, wenn sie fertig ist.

problem-card-pulled-title = Die Karte wurde herausgezogen
problem-card-pulled-happened = Sie verschwand bei diesem Schritt: { $doing }.
problem-card-pulled-todo = Wieder einstecken und neu beginnen.

problem-card-silent-title = Die Karte antwortet nicht
problem-card-silent-happened = Seit { $minutes } Minuten keine Daten.
problem-card-silent-todo = Warten, oder anhalten und einen anderen Leser, Anschluss oder eine andere Karte versuchen.

problem-write-failed-title = Das Schreiben ist fehlgeschlagen
problem-write-failed-happened = Die Karte hat bei { $at } keine Daten angenommen.
problem-write-failed-unconfirmed = Die Karte hat die Daten angenommen, aber nicht bestätigt, dass sie gespeichert sind.
problem-write-failed-todo = Karte oder Leser ist defekt; einen anderen versuchen.

problem-card-counterfeit-title = Die Karte ist kleiner, als sie angibt
problem-card-counterfeit-happened = Nach { $after } kamen falsche Daten zurück.
problem-card-counterfeit-todo = Wahrscheinlich eine Fälschung; zurückgeben.

problem-card-unreliable-title = Die Karte ist nicht zuverlässig
problem-card-unreliable-happened = { $places } Stellen wurden anders zurückgelesen, die erste bei { $first }: { $looks }.
problem-card-unreliable-todo = Nicht verwenden.

problem-download-stopped-title = Der Download ist stehen geblieben
problem-download-stopped-happened = { $host } antwortet nicht.
problem-download-stopped-todo = Die Internetverbindung prüfen; es geht dort weiter, wo es aufhörte.

problem-download-damaged-title = Der Download war beschädigt
problem-download-damaged-happened = Seine Prüfsumme stimmt nicht; er wurde gelöscht.
problem-download-damaged-todo = Noch einmal versuchen.

problem-no-digest-title = Dem Abbild kann nicht vertraut werden
problem-no-digest-happened = Seine Prüfsumme war nicht zu bekommen.
problem-no-digest-todo = In einer Stunde noch einmal versuchen.

problem-backup-does-not-fit-title = Die Sicherung passt nicht
problem-backup-does-not-fit-happened = { $need } nötig, { $free } frei auf der Karte.
problem-backup-does-not-fit-todo = Eine größere Karte nehmen.

problem-last-check-failed-title = Die Karte hat die letzte Prüfung nicht bestanden
problem-last-check-failed-happened = { $what } Sie wurde leer gemacht.
problem-last-check-failed-todo = Neu beginnen; wiederholt es sich, das Protokoll schicken.

problem-restarted-title = Die App wurde neu gestartet
problem-restarted-happened = Die Arbeit brach bei diesem Schritt ab: { $doing }.
problem-restarted-before = Die Arbeit brach ab, bevor sie begann.
problem-restarted-todo = Neu beginnen; Download und Sicherung sind noch da.

problem-no-room-for-download-title = Nicht genug Platz für den Download
problem-no-room-for-download-happened = { $free } frei, { $need } nötig.
problem-no-room-for-download-todo = Alte Sicherungen oder das aufgehobene Abbild löschen, dann noch einmal versuchen.

problem-still-starting-title = Home Assistant startet noch
problem-still-starting-happened = Es erstellt noch keine Sicherungen.
problem-still-starting-todo = Eine Minute warten; diese Seite bemerkt es von selbst.

problem-no-internet-title = Kein Internet
problem-no-internet-happened = Das Systemabbild kann nicht heruntergeladen werden.
problem-no-internet-todo = Das Netzwerk prüfen; mit einem aufgehobenen Abbild geht es auch ohne.

problem-not-haos-title = Das ist kein Home Assistant OS
problem-not-haos-happened = Karten können nur für Home Assistant OS erstellt werden.
problem-not-haos-todo = Eine Sicherung hilft trotzdem: Einstellungen › System › Backups.

problem-supervisor-silent-title = Home Assistant antwortet dieser App nicht
problem-supervisor-silent-happened = { $said }
problem-supervisor-silent-todo = Die App neu starten; wiederholt es sich, das Protokoll schicken.

problem-cannot-save-title = Die App kann ihren Stand nicht speichern
problem-cannot-save-happened = { $why }
problem-cannot-save-todo = Platz schaffen; laufende Arbeit geht weiter.

problem-backup-unusable-title = Diese Sicherung kann nicht verwendet werden
problem-backup-unusable-happened = { $why }
problem-backup-unusable-todo = Eine andere wählen oder eine neue erstellen.

problem-grow-failed-title = Die Partition der Karte ließ sich nicht vergrößern
problem-grow-failed-happened = { $what } Die Karte ist jetzt leer.
problem-grow-failed-todo = Neu beginnen; wiederholt es sich, das Protokoll schicken.

problem-image-unusable-title = Dieses Abbild kann nicht verwendet werden
problem-image-unusable-happened = { $why }
problem-image-unusable-todo = Ein unverändertes Abbild von Home Assistant OS (.img.xz) für dieses Gerät nehmen.

problem-disk-refused-title = Dieser Datenträger kann nicht verwendet werden
problem-disk-refused-happened = { $reasons }
problem-disk-refused-todo = Einen anderen Datenträger wählen.

problem-unexpected-title = Etwas ist schiefgegangen
problem-unexpected-happened = { $short }
problem-unexpected-todo = Noch einmal versuchen; das Protokoll hilft beim Melden.
