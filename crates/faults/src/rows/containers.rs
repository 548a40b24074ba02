//! What is done to Natter in containers, as operators run it: rolled over, rebooted, restored, and looked at from outside.

mod restored;

pub use restored::restored;

use crate::stage::{Cast, Orders, Outcome, Rate, Stage, code};
use crate::system::Wiring;
use crate::system::compose::{Compose, REPLICAS};
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const CAST: Cast = Cast { writers: 12, readers: 24, rooms: 3 };

fn compose(stage: &Stage) -> Result<&Compose> {
    stage.system.compose.as_ref().context("this row is for containers")
}

/// C01.
pub async fn looked_at(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), Cast { writers: 2, readers: 2, rooms: 1 }).await?;
    let mut said = Vec::new();
    {
        let system = compose(&stage)?;
        for service in ["web", "api", "mongo", "redis", "backup"] {
            for id in system.containers(service).await? {
                said.push((format!("{service} is confined"), confined(system, service, &id).await?));
            }
        }
        let published: Vec<String> = published(system).await?.into_iter().filter(|service| service != "web").collect();
        said.push(("only web has open ports".to_owned(), published));
        said.push(("Redis gives its user little and strangers nothing".to_owned(), acl(system).await?));
    }
    said.push(("the page has its headers".to_owned(), page(&stage).await?));
    for (what, wrong) in said {
        let sentence = if wrong.is_empty() { what } else { format!("{what}: not so: {wrong:?}") };
        stage.check(wrong.is_empty(), sentence);
    }
    let outside = stage.health(0, "/metrics").await.map(|answer| answer.status.as_u16());
    stage.check(outside == Some(404), format!("/metrics is answered {} from outside (404)", code(outside)));
    let refused = refuses_without_secrets(compose(&stage)?).await?;
    stage.check(refused.contains("docker/setup"), format!("without secrets: {refused}"));
    stage.finish().await
}

/// What a container may do that it should not.
async fn confined(system: &Compose, service: &str, id: &str) -> Result<Vec<String>> {
    // The first backup may take its time.
    let health = if service == "backup" { "starting healthy" } else { "healthy" };
    let asked: &[(&str, &str)] = &[
        ("{{.HostConfig.ReadonlyRootfs}}", "true"),
        ("{{.HostConfig.CapDrop}}", "[ALL]"),
        ("{{.HostConfig.CapAdd}}", "[]"),
        ("{{.HostConfig.SecurityOpt}}", "[no-new-privileges:true]"),
        ("{{.HostConfig.Privileged}}", "false"),
        ("{{.HostConfig.RestartPolicy.Name}}", "unless-stopped"),
        ("{{.State.Health.Status}}", health),
    ];
    let told = [
        "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}",
        "{{range .Mounts}}{{.Source}} {{end}}",
        "{{.Config.Env}} {{.Config.Cmd}} {{.Args}}",
    ];
    let questions: Vec<&str> = asked.iter().map(|(question, _)| *question).chain(told).collect();
    let said = system.docker(&["inspect", "--format", &questions.join("\n"), id]).await?;
    let mut said = said.splitn(questions.len(), '\n');
    let mut wrong = Vec::new();
    for (question, answer) in asked {
        let said = said.next().unwrap_or_default();
        if !answer.split(' ').any(|one| one == said) {
            wrong.push(format!("{question} is {said}"));
        }
    }
    let mut told = || said.next().unwrap_or_default();
    let (limits, mounts, shown) = (told(), told(), told());
    if !limits.split(' ').all(|limit| limit.parse::<u64>().is_ok_and(|limit| limit > 0)) {
        wrong.push(format!("its limits of memory and processes are {limits}"));
    }
    if mounts.contains("docker.sock") {
        wrong.push("it has the engine's socket".to_owned());
    }
    let user = system.docker(&["exec", id, "id", "-u"]).await?;
    if user == "0" {
        wrong.push("it runs as root".to_owned());
    }
    // No secret stands in what everybody sees who may list containers.
    for secret in std::fs::read_dir(system.folder().join("secrets"))? {
        let secret = std::fs::read_to_string(secret?.path())?;
        if shown.contains(secret.trim()) {
            wrong.push("a secret is in its environment or its arguments".to_owned());
        }
    }
    Ok(wrong)
}

/// What is missing of the headers that the page has from the server itself.
async fn page(stage: &Stage) -> Result<Vec<String>> {
    let answer = stage.health(0, "/").await.context("the page is not there")?;
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut wrong = Vec::new();
    for (name, part) in [
        ("content-type", "text/html"),
        ("content-security-policy", "script-src 'self' 'wasm-unsafe-eval' 'sha256-"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-cache"),
    ] {
        if !header(name).contains(part) {
            wrong.push(format!("{name} is {:?}", header(name)));
        }
    }
    if !header("server").is_empty() {
        wrong.push(format!("it says what it is: {}", header("server")));
    }
    Ok(wrong)
}

/// The services that listen on the host.
async fn published(system: &Compose) -> Result<Vec<String>> {
    let said =
        system.compose(&["ps", "--format", "{{.Service}} {{range .Publishers}}{{.PublishedPort}} {{end}}"]).await?;
    let open = |line: &str| {
        let (service, ports) = line.split_once(' ')?;
        ports.split_whitespace().any(|port| port != "0").then(|| service.to_owned())
    };
    Ok(said.lines().filter_map(open).collect())
}

/// What the server's user may do in Redis that it should not.
async fn acl(system: &Compose) -> Result<Vec<String>> {
    let password = std::fs::read_to_string(system.folder().join("secrets/redis_natter"))?;
    let login =
        ["exec", "-T", "redis", "redis-cli", "--no-auth-warning", "--user", "natter", "--pass", password.trim()];
    let mut wrong = Vec::new();
    for (command, fine) in [
        (&["PING"][..], true),
        (&["SET", "natter:probe", "1", "EX", "1"], true),
        (&["SET", "others", "1"], false),
        (&["FLUSHALL"], false),
        (&["CONFIG", "GET", "*"], false),
        (&["KEYS", "*"], false),
        (&["PUBLISH", "others", "1"], false),
        (&["SHUTDOWN", "NOSAVE"], false),
    ] {
        let said = system.compose(&[&login[..], command].concat()).await?;
        if said.contains("NOPERM") == fine {
            wrong.push(format!("{command:?} answered {said}"));
        }
    }
    let stranger = system.compose(&["exec", "-T", "redis", "redis-cli", "GET", "natter:probe"]).await?;
    if !stranger.contains("NOAUTH") {
        wrong.push(format!("somebody without a password is answered {stranger}"));
    }
    let limit = system.compose(&["exec", "-T", "redis", "cat", "/etc/redis.conf"]).await?;
    if !limit.contains("\nmaxmemory ") {
        wrong.push("it has no maxmemory".to_owned());
    }
    Ok(wrong)
}

/// What is said where nobody has made secrets.
async fn refuses_without_secrets(system: &Compose) -> Result<String> {
    let folder = system.folder().join("bare");
    std::fs::create_dir_all(&folder)?;
    std::fs::copy(system.folder().join("docker-compose.yml"), folder.join("docker-compose.yml"))?;
    let bare = folder.to_string_lossy();
    let file = format!("{bare}/docker-compose.yml");
    let arguments = ["compose", "--project-directory", &bare, "--file", &file, "config"];
    let tried = system.docker(&arguments);
    Ok(match tried.await {
        Ok(_) => "it starts".to_owned(),
        Err(error) => {
            let error = format!("{error:#}");
            error.rsplit_once("required variable").map_or_else(|| error.clone(), |(_, why)| format!("needs{why}"))
        }
    })
}

/// C02.
pub async fn rolled(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), CAST).await?;
    let load = stage.load(Rate::of(60));
    sleep(Duration::from_secs(2)).await;
    let before = compose(&stage)?.containers("api").await?;
    let ended: usize = stage.clients.iter().map(|client| client.ended().len()).sum();
    let said = compose(&stage)?.script("docker/roll", &[]).await?;
    let since = Instant::now();
    stage.recovers(since).await;
    drop(load);
    let after = compose(&stage)?.containers("api").await?;
    let kept = after.iter().filter(|id| before.contains(id)).count();
    let whole = after.len() == REPLICAS && kept == 0;
    stage.check(
        whole,
        format!("{} of {REPLICAS} containers are new ({} were said)", after.len() - kept, said.lines().count()),
    );
    let refusals = stage.clients.iter().map(|client| client.refusals().len()).max().unwrap_or(0);
    // On a busy machine a node takes longer to stop, and refuses meanwhile.
    stage.time(refusals <= REPLICAS, format!("nobody knocked in vain more than {refusals} times ({REPLICAS})"));
    let ended = stage.clients.iter().map(|client| client.ended().len()).sum::<usize>() - ended;
    stage.check(true, format!("{ended} connections moved for {} clients", stage.clients.len()));
    stage.finish().await
}

/// C03.
pub async fn rebooted(orders: Orders) -> Result<Outcome> {
    let mut stage = Stage::open(&orders, Wiring::new(orders.store), CAST).await?;
    let load = stage.load(Rate::of(60));
    sleep(stage.dice.between(Duration::from_secs(1), Duration::from_secs(4))).await;
    compose(&stage)?.compose(&["kill"]).await?;
    let since = Instant::now();
    compose(&stage)?.up().await?;
    let up = since.elapsed();
    stage.recovers(Instant::now()).await;
    drop(load);
    stage.check(true, format!("all containers killed, healthy again {:.0} s after", up.as_secs_f64()));
    stage.presence_is_right(Duration::from_mins(1)).await;
    stage.finish().await
}
