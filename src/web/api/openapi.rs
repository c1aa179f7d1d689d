//! `GET api/openapi.json`: the API, described by itself (AP-2).

use actix_web::HttpResponse;

/// Every URL, field, status and code; written by hand, held to the routes by the tests below and by schemathesis.
const DOCUMENT: &str = include_str!("openapi.json");

pub async fn get() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT)
}

/// Whether a value fits one of the document's schemas.
#[cfg(test)]
pub fn fits(schema: &str, value: &serde_json::Value) -> bool {
    let document = serde_json::from_str(DOCUMENT).unwrap();
    let schema = serde_json::json!({ "$ref": format!("#/components/schemas/{schema}") });
    super::trial::misfits(&document, &schema, value).is_empty()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use actix_web::http::Method;
    use actix_web::test::TestRequest;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::disk::Refusal;
    use crate::domain::job::JobState;
    use crate::domain::problem::Problem;
    use crate::domain::size::Bytes;
    use crate::domain::stage::Stage;
    use crate::web::api::trial::misfits;
    use crate::web::trial::*;

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    /// `GET /api/devices`, as the document has them.
    fn described() -> BTreeSet<String> {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let methods = |item: &Value| -> Vec<String> {
            item.as_object().unwrap().keys().filter(|key| *key != "parameters").map(|m| m.to_uppercase()).collect()
        };
        paths.iter().flat_map(|(path, item)| methods(item).into_iter().map(move |m| format!("{m} {path}"))).collect()
    }

    /// The same, as `routes.rs` has them: scopes, and lines of `json("/path", "METHODS")` below each.
    fn routed() -> BTreeSet<String> {
        let mut scope = String::new();
        let mut found = BTreeSet::new();
        for line in include_str!("../routes.rs").lines() {
            let word = |after: &str| line.split_once(after).and_then(|(_, rest)| rest.split('"').next());
            if let Some(path) = word("web::scope(\"") {
                scope = path.into();
            }
            if let Some(path) = word(" json(\"").or(word("(json(\"")) {
                let methods = line.split('"').nth(3).unwrap();
                found.extend(methods.split(", ").map(|method| format!("{method} {scope}{path}")));
            }
        }
        found
    }

    #[test]
    fn it_describes_every_route_and_nothing_else() {
        assert!(routed().len() >= 14, "the search finds too little: {:?}", routed());
        assert_eq!(described(), routed());
    }

    #[actix_web::test]
    async fn what_it_describes_answers_and_other_methods_do_not() {
        let trial = Trial::new();
        trial.show(vec![job(7)]);
        for route in described() {
            let (method, path) = route.split_once(' ').unwrap();
            let path = path.replace("{id}", "7");
            let ask = |method: Method| {
                let request = TestRequest::default().method(method).uri(&path);
                trial.ask(request.peer_addr("127.0.0.1:5000".parse().unwrap()))
            };
            let answer = ask(Method::PATCH).await;
            assert_eq!(answer.status, 405, "{route}");
            assert!(answer.header("allow").split(", ").any(|allowed| allowed == method), "{route}");
            // The stream of events does not end.
            if path != "/api/events" {
                let status = ask(method.parse().unwrap()).await.status.to_string();
                let known = &document()["paths"][path.replace("/7", "/{id}")][method.to_lowercase()]["responses"];
                assert!(known.get(&status).is_some(), "{route}: {status}");
            }
        }
    }

    #[actix_web::test]
    async fn it_is_served_as_it_is() {
        let trial = Trial::new();
        let answer = trial.ask(trial.get("/api/openapi.json")).await;
        assert_eq!((answer.status, answer.json()), (200, document()));
        assert!(document()["openapi"].as_str().unwrap().starts_with("3.1"));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, document: &Value) {
            if let Some(to) = value.get("$ref").and_then(Value::as_str) {
                assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
            }
            match value {
                Value::Object(fields) => fields.values().for_each(|inner| walk(inner, document)),
                Value::Array(items) => items.iter().for_each(|inner| walk(inner, document)),
                _ => {}
            }
        }
        walk(&document(), &document());
    }

    /// Answers fit their schemas in states that a run of the demo never gets into.
    #[actix_web::test]
    async fn answers_are_as_described() {
        let trial = Trial::new();
        let mut failed = ended(7, JobState::Failed);
        (failed.problem, failed.detail) = (Some(Problem::CardPulled { stage: Stage::Write }), Some("gone".into()));
        failed.warnings = vec![warning("Not backed up: Mosquitto.")];
        let mut full = disk("sdc");
        full.contents = camera();
        let small = Refusal::TooSmall { has: Bytes(1), need: Bytes(2) };
        trial.plug(vec![listed(disk("sdb"), &[]), listed(full, &[]), listed(internal(), &[Refusal::BuiltIn, small])]);
        trial.change_system(|s| {
            s.problems = vec![Problem::NoInternet];
            s.warnings = vec![warning("Local apps are not in full backups.")];
            s.kept_image = Some(("haos.img.xz".into(), Bytes(1)));
        });
        let over = [JobState::Done, JobState::Cancelled, JobState::Interrupted].map(|state| ended(5, state));
        for jobs in over.into_iter().map(|job| vec![job]).chain([vec![job(7)], vec![failed], vec![]]) {
            trial.show(jobs);
            for route in described().iter().filter(|route| *route != "GET /api/events") {
                let Some(path) = route.strip_prefix("GET ") else { continue };
                let answer = trial.ask(trial.get(&path.replace("{id}", "7"))).await;
                let status = answer.status.to_string();
                let schema = &document()["paths"][path]["get"]["responses"][&status];
                assert_eq!(misfits(&document(), schema, &answer.json()), Vec::<String>::new(), "{path} {status}");
            }
        }
    }

    #[test]
    fn every_code_is_listed() {
        let document = document();
        let codes = |schema: &str| document["components"]["schemas"][schema]["properties"]["code"]["enum"].clone();
        let refusals = [
            Refusal::RunsSystem,
            Refusal::HoldsData,
            Refusal::SystemUnknown { missing: String::new() },
            Refusal::BuiltIn,
            Refusal::InUse { what: String::new() },
            Refusal::Mounted,
            Refusal::JobUsesIt,
            Refusal::TooSmall { has: Bytes(0), need: Bytes(0) },
            Refusal::TooLarge { has: Bytes(0) },
            Refusal::WriteProtected,
            Refusal::NoMedium,
            Refusal::SectorSize { bytes: 0 },
            Refusal::Unreadable,
            Refusal::Twin,
            Refusal::MayNotOpen,
        ];
        assert_eq!(codes("Reason"), json!(refusals.map(|refusal| refusal.code())));
        let listed = codes("Problem");
        for problem in include_str!("../../domain/problem.rs").split("=> (\"P").skip(1) {
            let code = problem.split('"').nth(2).unwrap();
            assert!(listed.as_array().unwrap().contains(&code.into()), "{code}");
        }
    }

    #[test]
    fn messages_of_the_websocket_are_as_described() {
        let fits = |message: Value| super::fits("ProgressMessage", &message);
        assert!(fits(json!({ "type": "done" })));
        assert!(fits(json!({ "stage": "flash", "progress": 12, "status": "in_progress" })));
        assert!(fits(json!({ "type": "error", "stage": "download", "message": "Checksum mismatch" })));
        // The check itself can say no.
        assert!(!fits(json!({ "stage": "flash", "progress": 101, "status": "in_progress" })));
        assert!(!fits(json!({ "type": "done", "more": 1 })));
        assert!(!fits(json!({ "type": "error", "stage": "x", "message": "y" })));
    }
}
