//! The description of the REST part for machines, made from the handlers and the types.

use super::Documented;
use actix_web::HttpResponse;
use actix_web::http::header;
use natter_shared::path;
use std::sync::LazyLock;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, SecurityRequirement};

/// The document.
pub fn describe() -> utoipa::openapi::OpenApi {
    let mut document = Documented::openapi();
    document.info = InfoBuilder::new()
        .title("Natter")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Rooms, direct conversations, history and presence. docs/protocol.md says the rest."))
        .build();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("access_token", SecurityScheme::Http(bearer));
    document.security = Some(vec![SecurityRequirement::new("access_token", Vec::<String>::new())]);
    document
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| describe().to_json().unwrap_or_default());

/// This document.
#[utoipa::path(get, path = path::OPENAPI, tag = "health", security(()), responses(
    (status = 200, description = "OpenAPI 3.1", content_type = "application/json"),
))]
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(DOCUMENT.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_document_describes_exactly_the_routes() {
        let json: serde_json::Value = serde_json::from_str(&DOCUMENT).unwrap();
        let mut described = BTreeSet::new();
        for (path, methods) in json["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                described.insert((method.clone(), path.clone()));
            }
        }
        let routes: BTreeSet<_> = crate::http::ROUTES.iter().map(|(m, p)| ((*m).to_owned(), (*p).to_owned())).collect();
        assert_eq!(described, routes);
        assert_eq!(json["openapi"], "3.1.0");
    }

    #[test]
    fn every_value_in_a_path_is_described_and_every_reference_leads_somewhere() {
        let json: serde_json::Value = serde_json::from_str(&DOCUMENT).unwrap();
        for (path, methods) in json["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let empty = Vec::new();
                let parameters = operation["parameters"].as_array().unwrap_or(&empty);
                let named: Vec<_> =
                    parameters.iter().filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str()).collect();
                let in_path: Vec<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
                assert_eq!(named, in_path, "{method} {path}");
            }
        }
        let text = DOCUMENT.as_str();
        for reference in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(json["components"]["schemas"].get(reference).is_some(), "{reference}");
        }
    }
}
