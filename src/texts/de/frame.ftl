# Was um jede Seite steht, und Seiten über Fehler.

frame-skip = Zum Inhalt springen
frame-offline = Die Seite erreicht die App nicht. Die Arbeit geht weiter. Es wird noch einmal versucht.
frame-signed-out = Die Anmeldung ist abgelaufen. Bitte die App in Home Assistant noch einmal öffnen.
frame-back = Zurück zu den Datenträgern
frame-error = Fehler: { $title }

error-not-found-title = Diese Seite gibt es nicht
error-not-found-happened = Die Adresse führt nirgendwohin, oder was sie zeigte, ist nicht mehr da.
error-not-found-todo = Zurück zu den Datenträgern gehen.
error-wrong-method-title = Diese Seite kann so nicht benutzt werden
error-wrong-method-happened = Es wurde nichts getan.
error-wrong-method-todo = Zurück zu den Datenträgern gehen und dort beginnen.
error-bad-form-title = Das Formular konnte nicht gelesen werden
error-bad-form-happened = Es wurde nichts getan.
error-bad-form-todo = Zurück zu den Datenträgern gehen und das Formular noch einmal ausfüllen.
