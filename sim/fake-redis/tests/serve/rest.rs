//! The REST protocol over a real socket.

use crate::serve_support::{Answer, Fake, READ_ONLY, TOKEN, request};
use serde_json::json;

const BASE64: (&str, &str) = ("upstash-encoding", "base64");
const RESP2: (&str, &str) = ("upstash-response-format", "resp2");

async fn post(fake: &Fake, target: &str, body: &str) -> Answer {
    fake.ask("POST", target, &[], body.to_owned()).await.unwrap()
}

fn told(answer: &Answer) -> (u16, serde_json::Value) {
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_command_is_sent_in_any_form() {
    let fake = Fake::start().await;
    let ok = json!({"result": "OK"});
    assert_eq!(told(&post(&fake, "/", r#"["SET", "a", "1", "EX", 100]"#).await), (200, ok.clone()));
    assert_eq!(told(&post(&fake, "/set/b?EX=100", "two words").await), (200, ok.clone()));
    for method in ["GET", "POST", "PUT"] {
        let answer = fake.ask(method, "/set/c%2Fd/x%20y/EX/100/", &[], "").await.unwrap();
        assert_eq!(told(&answer), (200, ok.clone()), "{method}");
    }
    let head = fake.ask("HEAD", "/incr/n", &[], "").await.unwrap();
    assert_eq!((head.status, head.text()), (200, ""));
    for (key, value) in [("a", "1"), ("b", "two words"), ("c/d", "x y"), ("n", "1")] {
        assert_eq!(fake.rest(&format!("GET {key}")).await, Ok(json!(value)));
    }
    assert_eq!(fake.rest("TTL b").await, Ok(json!(100)));
}

#[tokio::test]
async fn an_answer_is_json_with_a_sync_token_that_writes_move() {
    let fake = Fake::start().await;
    let first = post(&fake, "/", r#"["GET", "a"]"#).await;
    assert_eq!(first.header("content-type"), "application/json");
    let token = |answer: &Answer| answer.header("upstash-sync-token").to_owned();
    let second = post(&fake, "/", r#"["GET", "a"]"#).await;
    assert_eq!(token(&first), token(&second));
    let written = post(&fake, "/", r#"["SET", "a", "1"]"#).await;
    assert!(token(&written) > token(&second));
    fake.client().await.ask("SET a 2").await.unwrap();
    assert!(token(&post(&fake, "/", r#"["GET", "a"]"#).await) > token(&written));
    let refused = request(fake.rest, "GET", "/get/a", &[], "".into()).await.unwrap();
    assert!(!token(&refused).is_empty());
}

#[tokio::test]
async fn who_shows_no_token_is_not_served() {
    let fake = Fake::start().await;
    let text = "WRONGPASS invalid or missing auth token. See \
                https://docs.upstash.com/redis/troubleshooting/http_unauthorized for details.";
    let bearer = format!("Bearer {TOKEN}");
    for headers in [&[][..], &[("authorization", "Bearer wrong")]] {
        let answer = request(fake.rest, "GET", "/incr/n", headers, "".into()).await.unwrap();
        assert_eq!(told(&answer), (401, json!({"error": text})));
    }
    let target = format!("/incr/n?_token={TOKEN}");
    let answer = request(fake.rest, "GET", &target, &[], "".into()).await.unwrap();
    assert_eq!(told(&answer), (200, json!({"result": 1})));
    for header in [TOKEN, &bearer] {
        let headers = [("authorization", header)];
        let answer = request(fake.rest, "GET", "/get/n", &headers, "".into()).await.unwrap();
        assert_eq!(told(&answer), (200, json!({"result": "1"})));
    }
    let headers = [("authorization", &*bearer)];
    let wrong = request(fake.rest, "GET", "/get/n?_token=wrong", &headers, "".into()).await;
    assert_eq!(wrong.unwrap().status, 401);
}

#[tokio::test]
async fn the_read_only_token_reads() {
    let fake = Fake::start().await;
    assert_eq!(fake.rest("SET a 1").await, Ok(json!("OK")));
    let bearer = format!("Bearer {READ_ONLY}");
    let ask = async |body: &'static str| {
        let headers = [("authorization", &*bearer)];
        told(&request(fake.rest, "POST", "/", &headers, body.into()).await.unwrap())
    };
    assert_eq!(ask(r#"["GET", "a"]"#).await, (200, json!({"result": "1"})));
    let text = "NOPERM this user has no permissions to run the 'set' command";
    assert_eq!(ask(r#"["SET", "a", "2"]"#).await, (400, json!({"error": text})));
    assert_eq!(fake.rest("GET a").await, Ok(json!("1")));
}

#[tokio::test]
async fn the_read_only_token_writes_by_no_way() {
    let fake = Fake::start().await;
    assert_eq!(fake.rest("SET a 1").await, Ok(json!("OK")));
    let bearer = format!("Bearer {READ_ONLY}");
    let ask = async |target: &'static str| {
        let headers = [("authorization", &*bearer)];
        let body = r#"[["GET", "a"], ["SET", "a", "2"], ["EVAL", "return 1", "0"], ["GET", "a"]]"#;
        told(&request(fake.rest, "POST", target, &headers, body.into()).await.unwrap())
    };
    let refused = |name: &str| json!({"error": format!("NOPERM this user has no permissions to run the '{name}' command")});
    // A pipeline does what it may; a transaction is discarded as a whole.
    let read = json!({"result": "1"});
    let each = json!([read, refused("set"), refused("eval"), read]);
    assert_eq!(ask("/pipeline").await, (200, each));
    assert_eq!(ask("/multi-exec").await, (400, refused("set")));
    assert_eq!(fake.rest("GET a").await, Ok(json!("1")));
}

#[tokio::test]
async fn each_error_has_its_text_and_status() {
    let fake = Fake::start().await;
    fake.rest("SET text x").await.unwrap();
    let unknown = "ERR Command is not available: 'FOO'. See \
                   https://upstash.com/docs/redis/overall/rediscompatibility for details";
    let special = "ERR Command \"MULTI\" is not allowed in REST or it has a special context path";
    let expected = [
        ("/", "", "EOF"),
        ("/", "{}", "expected JSON array"),
        ("/", "[]", "ERR empty command"),
        ("/", "[\"GET\", null]", "ERR null args are not supported"),
        ("/", "[[\"GET\"]]", "ERR unsupported arg type: \"[\": json.Delim"),
        ("/", "[\"foo\", 1]", unknown),
        ("/", "[\"multi\"]", special),
        ("/", "[\"GET\"]", "ERR wrong number of arguments for 'get' command"),
        ("/", "[\"INCR\", \"text\"]", "ERR value is not an integer or out of range"),
        (
            "/",
            "[\"HGET\", \"text\", 1]",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        ("/", "[\"EVALSHA\", \"0\", 0]", "NOSCRIPT No matching script. Please use EVAL."),
        ("/pipeline", "5", "ERR failed to parse pipeline request"),
        ("/pipeline", "[]", "ERR empty pipeline request"),
        ("/pipeline", "[[]]", "ERR empty pipeline command"),
        ("/subscribe", "", "ERR wrong number of arguments for 'subscribe' command"),
    ];
    for (target, body, text) in expected {
        assert_eq!(told(&post(&fake, target, body).await), (400, json!({"error": text})), "{body}");
    }
}

#[tokio::test]
async fn strings_come_in_base64_if_asked_for() {
    let fake = Fake::start().await;
    let body = r#"[["SET", "a", "OK"], ["GET", "a"], ["PING"], ["LRANGE", "l", 0, -1], ["GET", "none"], ["EVAL", "return {'a', {'b', 1}}", 0], ["GET"]]"#;
    let answer = fake.ask("POST", "/pipeline", &[BASE64], body).await.unwrap();
    let json = answer.json();
    assert_eq!(json[0], json!({"result": "OK"}));
    assert_eq!(json[1], json!({"result": "T0s="}));
    assert_eq!(json[2], json!({"result": "UE9ORw=="}));
    assert_eq!(json[4], json!({"result": null}));
    assert_eq!(json[5], json!({"result": ["YQ==", ["Yg==", 1]]}));
    assert_eq!(json[6], json!({"error": "ERR wrong number of arguments for 'get' command"}));
}

#[tokio::test]
async fn bytes_survive_in_base64_and_in_resp2() {
    let fake = Fake::start().await;
    let bytes = &b"\xff\0\r\n"[..];
    assert_eq!(fake.ask("POST", "/set/a", &[], bytes).await.unwrap().status, 200);
    let base64 = fake.ask("GET", "/get/a", &[BASE64], "").await.unwrap();
    assert_eq!(base64.json(), json!({"result": "/wANCg=="}));
    let text = fake.ask("GET", "/get/a", &[], "").await.unwrap();
    assert_eq!(text.json(), json!({"result": "\u{fffd}\0\r\n"}));
    let resp2 = fake.ask("GET", "/get/a", &[RESP2], "").await.unwrap();
    assert_eq!(resp2.header("content-type"), "application/octet-stream");
    assert_eq!(&resp2.body[..], b"$4\r\n\xff\0\r\n\r\n");
}

#[tokio::test]
async fn resp2_joins_the_replies_of_a_pipeline() {
    let fake = Fake::start().await;
    let body = r#"[["SET", "a", "1"], ["GET", "a"], ["GET"]]"#;
    let answer = fake.ask("POST", "/pipeline", &[RESP2], body).await.unwrap();
    let expected = "+OK\r\n$1\r\n1\r\n-ERR wrong number of arguments for 'get' command\r\n";
    assert_eq!((answer.status, answer.text()), (200, expected));
    let both = fake.ask("GET", "/get/a", &[RESP2, BASE64], "").await.unwrap();
    assert_eq!(both.status, 400);
    let xml = [("upstash-response-format", "xml")];
    assert_eq!(fake.ask("GET", "/get/a", &xml, "").await.unwrap().status, 400);
}

#[tokio::test]
async fn a_pipeline_goes_on_after_an_error() {
    let fake = Fake::start().await;
    let body = r#"[["SET", "a", "x"], ["INCR", "a"], ["SUBSCRIBE", "c"], ["GET", "a"]]"#;
    let answer = post(&fake, "/pipeline", body).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(json[1], json!({"error": "ERR value is not an integer or out of range"}));
    assert!(json[2]["error"].as_str().unwrap().contains("not allowed in REST"));
    assert_eq!(json[3], json!({"result": "x"}));
}

#[tokio::test]
async fn a_transaction_runs_on_after_an_error_in_it() {
    let fake = Fake::start().await;
    let body = r#"[["SET", "a", "x"], ["INCR", "a"], ["GET", "a"]]"#;
    let answer = fake.ask("POST", "/multi-exec", &[BASE64], body).await.unwrap();
    let expected = json!([
        {"result": "OK"},
        {"error": "ERR value is not an integer or out of range"},
        {"result": "eA=="},
    ]);
    assert_eq!(told(&answer), (200, expected));
}

#[tokio::test]
async fn a_transaction_with_a_wrong_command_does_nothing() {
    let fake = Fake::start().await;
    for wrong in [r#"["GET"]"#, r#"["FOO", "a"]"#, r#"["BLPOP", "l", 1]"#, r#"["WATCH", "a"]"#] {
        let body = format!(r#"[["SET", "a", "1"], {wrong}]"#);
        let answer = post(&fake, "/multi-exec", &body).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.json()["error"].is_string(), "{wrong}");
    }
    assert_eq!(fake.rest("EXISTS a").await, Ok(json!(0)));
}

#[tokio::test]
async fn other_methods_are_refused_and_browsers_are_let_in() {
    let fake = Fake::start().await;
    let answer = fake.ask("DELETE", "/get/a", &[], "").await.unwrap();
    assert_eq!((answer.status, answer.text()), (405, ""));
    let origin = ("origin", "https://app.example");
    let asked = ("access-control-request-headers", "authorization");
    let preflight = request(fake.rest, "OPTIONS", "/", &[origin, asked], "".into()).await.unwrap();
    assert_eq!((preflight.status, preflight.text()), (200, ""));
    assert_eq!(preflight.header("access-control-allow-origin"), origin.1);
    assert_eq!(preflight.header("access-control-allow-headers"), "authorization");
    let answer = fake.ask("GET", "/ping", &[origin], "").await.unwrap();
    assert_eq!(answer.header("access-control-allow-origin"), origin.1);
    assert_eq!(answer.header("access-control-expose-headers"), "upstash-sync-token");
}

#[tokio::test]
async fn an_argument_over_the_limit_is_refused_and_a_long_pipeline_is_not() {
    let fake = Fake::start().await;
    let large = fake.ask("POST", "/set/a", &[], vec![b'x'; 10_485_760]).await.unwrap();
    assert_eq!(large.status, 413);
    assert!(large.text().contains("ERR max request size exceeded. Limit: 10485760 bytes"));
    let half = "x".repeat(6_000_000);
    let both = "return redis.call('GET', 'a') .. redis.call('GET', 'b')";
    let body =
        format!(r#"[["SET", "a", "{half}"], ["SET", "b", "{half}"], ["EVAL", "{both}", 0]]"#);
    let answer = post(&fake, "/pipeline", &body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()[1], json!({"result": "OK"}));
    assert!(answer.json()[2]["error"].as_str().unwrap().contains("Actual: 12000000 bytes"));
}

#[tokio::test]
async fn what_the_default_user_may_not_do_is_denied_over_rest() {
    let fake = Fake::start().await;
    let mut client = fake.client().await;
    client.ask("ACL SETUSER default resetkeys ~job:* -eval").await.unwrap();
    assert_eq!(fake.rest("SET job:1 x").await.unwrap(), "OK");
    let keys = "NOPERM this user has no permissions to access one of the keys used as arguments";
    assert_eq!(fake.rest("SET other x").await.unwrap(), keys);
    let eval = "NOPERM this user has no permissions to run the 'eval' command";
    assert_eq!(fake.rest("EVAL x 0").await.unwrap(), eval);
    fake.order("POST", "/flush", "").await;
    assert_eq!(fake.rest("EXISTS job:1").await.unwrap(), 0);
    let absent = fake.rest("JSON.GET job:1").await.unwrap();
    let absent = absent.as_str().unwrap();
    assert!(absent.starts_with("ERR this fake Redis does not have 'json.get'"), "{absent}");
}

#[tokio::test]
async fn where_upstash_differs_from_redis_rest_follows_upstash() {
    let fake = Fake::start().await;
    let mut redis = fake.client().await;
    redis.ask("SET a 1").await.unwrap();
    assert_eq!(fake.rest("COPY a a").await, Ok(json!(0)));
    assert_eq!(fake.rest("SCAN 0 WITHTYPE COUNT 100").await, Ok(json!(["0", ["a", "string"]])));
    assert_eq!(fake.rest("SCAN 0 MATCH withtype").await, Ok(json!(["0", []])));
    redis.ask("XGROUP CREATE x g 0 MKSTREAM").await.unwrap();
    // Long entries, so that Redis would keep few of them in a piece.
    let script = "for i = 1, 10000 do redis.call('xadd', 'x', i, i, string.rep('v', 60)) end";
    let fill = json!(["EVAL", script, "0"]).to_string();
    post(&fake, "/", &fill).await;
    assert_eq!(fake.rest("XTRIM x MAXLEN ~ 300").await, Ok(json!(9700)));
    assert_eq!(fake.rest("XADD x MAXLEN ~ 200 * f v").await.map(|_| ()), Ok(()));
    assert_eq!(fake.rest("XLEN x").await, Ok(json!(200)));
    let read = "XREADGROUP GROUP g c COUNT 1 NOACK STREAMS x >";
    assert!(fake.rest(read).await.unwrap().is_array());
    assert_eq!(fake.rest("XINFO CONSUMERS x g").await, Ok(json!([])));
    // So in a transaction and in a script of REST, and not over RESP.
    let both = r#"[["COPY", "a", "a"], ["EVAL", "return redis.call('copy', 'a', 'a')", "0"]]"#;
    let zero = json!({"result": 0});
    assert_eq!(told(&post(&fake, "/multi-exec", both).await), (200, json!([zero, zero])));
    for line in ["COPY a a", "SCAN 0 WITHTYPE"] {
        let reply = redis.ask(line).await.unwrap();
        assert!(format!("{reply:?}").contains("ERR "), "{line}: {reply:?}");
    }
    redis.ask(read).await.unwrap();
    assert_eq!(fake.rest("XINFO CONSUMERS x g").await.unwrap().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_stale_scan_over_rest_tells_types_too() {
    let fake = Fake::with_fault("stale-read lag=1h command=SCAN").await;
    assert_eq!(fake.rest("SET a 1").await, Ok(json!("OK")));
    assert_eq!(fake.rest("SCAN 0 WITHTYPE").await, Ok(json!(["0", []])));
}
