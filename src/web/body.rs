//! The body of a request: short, and soon there.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, Payload};
use tokio::time::timeout;

use super::door::BODY;

/// Reads it whole. The status says what was wrong: too long, too slow, or broken off.
pub async fn read(req: &HttpRequest, payload: Payload, longest: usize) -> Result<Bytes, StatusCode> {
    // What is said to be too long is not waited for.
    let said = req.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|length| length > longest as u64) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match timeout(BODY, payload.to_bytes_limited(longest)).await {
        Ok(Ok(Ok(bytes))) => Ok(bytes),
        Ok(Ok(Err(_))) => Err(StatusCode::BAD_REQUEST),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}
