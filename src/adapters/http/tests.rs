use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const QUICK: Limits = Limits {
    attempt: Duration::from_secs(5),
    total: Duration::from_secs(20),
    attempts: 3,
    first_wait: Duration::from_millis(1),
    body: 1000,
};

/// A server that gives one connection after the other the next of these answers, and then says
/// what it was asked.
async fn serve(answers: &[&'static str]) -> (Url, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/models?page=2", listener.local_addr().unwrap());
    let answers = answers.to_vec();
    let server = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let length = connection.read(&mut head).await.unwrap();
            requests.push(String::from_utf8_lossy(&head[..length]).into_owned());
            connection.write_all(answer.as_bytes()).await.unwrap();
            connection.shutdown().await.unwrap();
        }
        requests
    });
    (Url::parse(&url).unwrap(), server)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\n{\"a\": 1}";
const BUSY: &str =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const LIMITED: &str = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const CUT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 80\r\nconnection: close\r\n\r\n{\"a\": 1}";
const DENIED: &str = "HTTP/1.1 403 Forbidden\r\ncontent-length: 58\r\nconnection: close\r\n\r\n{\"error\": {\"message\": \"no permission\\nfor s3cret-token\"}}  ";

#[tokio::test]
async fn repeats_what_may_pass() {
    for answer in [BUSY, LIMITED, CUT] {
        let (url, server) = serve(&[answer, OK]).await;
        let response = Http::new(QUICK)
            .unwrap()
            .send(&Request::get(url))
            .await
            .unwrap();
        assert_eq!(response.json::<serde_json::Value>().unwrap()["a"], 1);
        assert_eq!(server.await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn gives_up_after_the_last_attempt() {
    let (url, server) = serve(&[BUSY, BUSY, BUSY]).await;
    let error = Http::new(QUICK)
        .unwrap()
        .send(&Request::get(url.clone()))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("GET {url} answered 503 Service Unavailable")
    );
    assert_eq!(server.await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_post_that_may_have_had_an_effect_is_not_repeated() {
    for answer in [BUSY, CUT] {
        let (url, server) = serve(&[answer]).await;
        let request = Request::new(Method::POST, url).json(&serde_json::json!({"title": "t"}));
        let error = Http::new(QUICK).unwrap().send(&request).await.unwrap_err();
        assert!(error.is_uncertain(), "{error}");
        assert_eq!(server.await.unwrap().len(), 1);
    }
    // It was refused before anything was done.
    let (url, server) = serve(&[LIMITED, OK]).await;
    let request = Request::new(Method::POST, url);
    Http::new(QUICK).unwrap().send(&request).await.unwrap();
    assert_eq!(server.await.unwrap().len(), 2);
}

#[tokio::test]
async fn tells_what_the_server_says_and_no_secret() {
    let (mut url, server) = serve(&[DENIED]).await;
    url.set_username("user").unwrap();
    url.set_password(Some("hidden")).unwrap();
    let token = Secret::new("s3cret-token");
    let error = Http::new(QUICK)
        .unwrap()
        .send(&Request::get(url.clone()).bearer(&token))
        .await
        .unwrap_err();
    let port = url.port().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "GET http://127.0.0.1:{port}/models?page=2 answered 403 Forbidden: no permission for ***"
        )
    );
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    assert!(server.await.unwrap()[0].contains("authorization: Bearer s3cret-token"));
}

#[tokio::test]
async fn refuses_an_answer_that_is_too_large() {
    const LARGE: &str =
        "HTTP/1.1 200 OK\r\ncontent-length: 20\r\nconnection: close\r\n\r\n12345678901234567890";
    let (url, _server) = serve(&[LARGE]).await;
    let limits = Limits { body: 10, ..QUICK };
    let error = Http::new(limits)
        .unwrap()
        .send(&Request::get(url))
        .await
        .unwrap_err();
    assert!(
        error.to_string().ends_with("is larger than 10 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn does_not_wait_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let limits = Limits {
        attempt: Duration::from_millis(20),
        total: Duration::from_millis(30),
        ..QUICK
    };
    let error = Http::new(limits)
        .unwrap()
        .send(&Request::get(url))
        .await
        .unwrap_err();
    assert!(matches!(error.problem, Problem::TimedOut(_)), "{error}");
}

#[tokio::test]
async fn tells_that_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = Http::new(QUICK)
        .unwrap()
        .send(&Request::get(url))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no connection: Connection refused"),
        "{error}"
    );
    assert!(!error.is_uncertain());
}

#[test]
fn reads_how_long_to_wait() {
    let now: Timestamp = "2015-10-21T07:28:00Z".parse().unwrap();
    let headers = |pairs: &[(&'static str, &'static str)]| {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        pairs.collect::<HeaderMap>()
    };
    for (pairs, seconds) in [
        (vec![("retry-after", "7")], Some(7)),
        (
            vec![("retry-after", "Wed, 21 Oct 2015 07:28:09 GMT")],
            Some(9),
        ),
        (
            vec![("retry-after", "Wed, 21 Oct 2015 07:27:00 GMT")],
            Some(0),
        ),
        (vec![("retry-after", "soon")], None),
        (
            vec![
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "1445412490"),
            ],
            Some(10),
        ),
        (
            vec![
                ("x-ratelimit-remaining", "3"),
                ("x-ratelimit-reset", "1445412490"),
            ],
            None,
        ),
        (vec![], None),
    ] {
        let wanted = seconds.map(Duration::from_secs);
        assert_eq!(retry_after(&headers(&pairs), now), wanted, "{pairs:?}");
    }
}

#[test]
fn finds_the_message_in_every_shape() {
    for (body, message) in [
        (
            r#"{"error": {"code": 403, "message": "denied", "status": "PERMISSION_DENIED"}}"#,
            "denied",
        ),
        (
            r#"{"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]}"#,
            r#"Validation Failed ({"field":"head","code":"invalid"})"#,
        ),
        (
            r#"{"message": {"base": ["is wrong"]}}"#,
            r#"{"base":["is wrong"]}"#,
        ),
        (r#"{"error": "invalid_token"}"#, "invalid_token"),
        (
            r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no model"}"#,
            "no model",
        ),
        (r#"["x"]"#, r#"["x"]"#),
        ("plain\n text", "plain text"),
        ("<html>\n", ""),
        ("", ""),
    ] {
        assert_eq!(server_message(body.as_bytes()), message, "{body}");
    }
    assert_eq!(
        server_message("é".repeat(400).as_bytes()).chars().count(),
        301
    );
}
