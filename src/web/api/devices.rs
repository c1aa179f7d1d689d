//! `GET api/devices`: every whole disk, sorted into those that may be overwritten and those that may not.

use actix_web::{HttpResponse, web};

use crate::jobs::disk_json::disks_json;
use crate::web::Site;

pub async fn get(site: web::Data<Site>) -> HttpResponse {
    HttpResponse::Ok().json(disks_json(&site.jobs.disks()))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::domain::disk::{Disk, Refusal};
    use crate::web::trial::*;

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[actix_web::test]
    async fn devices_have_the_first_plans_fields_and_more() {
        let trial = Trial::new();
        let scratch = Disk { scratch: true, path: "/tmp/card.img".into(), ..disk("scratch0") };
        let mut denied = disk("sdc");
        denied.fingerprint = None;
        trial.plug(vec![
            listed(disk("sdb"), &[]),
            listed(scratch, &[]),
            listed(denied, &[Refusal::MayNotOpen, Refusal::Twin]),
        ]);
        let body = trial.ask(trial.get("/api/devices")).await.json();
        let first = &body["devices"][0];
        for key in ["name", "path", "size", "size_human", "vendor", "model", "tran", "serial", "id", "fingerprint"] {
            assert!(keys(first).contains(&key), "{key}");
        }
        assert_eq!(first["name"], "sdb");
        assert_eq!(first["path"], "/dev/sdb");
        assert_eq!(first["size"], 63_864_569_856_u64);
        assert_eq!(first["size_human"], "64 GB");
        assert_eq!(first["tran"], "usb");
        assert!(!keys(first).contains(&"reasons"));
        assert_eq!(body["devices"][1]["path"], "/tmp/card.img");
        assert_eq!(body["devices"][1]["tran"], "usb");
        assert_eq!(body["refused"][0]["fingerprint"], Value::Null);
        assert_eq!(body["refused"][0]["reasons"][1]["code"], "twin");
        assert_eq!(body["refused"][0]["reasons"][0]["text"], "This app may not open it yet.");
        assert_eq!(body["devices"].as_array().unwrap().len(), 2);
    }
}
