//! The same on Redis Cluster, where keys and channels belong to different servers.

use super::*;
use std::process::Command;

async fn cluster() -> Vec<Server> {
    let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
    let mut servers = Vec::new();
    for _ in 0..3 {
        // The servers talk to each other on another port, 10 000 higher unless it is given.
        let bus = server::free_port().to_string();
        let settings = [&settings[..], &["--cluster-port", &bus]].concat();
        servers.push(Server::with(&settings).await);
    }
    let addresses: Vec<String> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    let made = Command::new(server::program().with_file_name("redis-cli"))
        .args(["--cluster", "create"])
        .args(&addresses)
        .arg("--cluster-yes")
        .output()
        .expect("redis-cli is beside redis-server");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    for server in &servers {
        eventually("the cluster is whole", async || {
            let info = server.does(redis::cmd("CLUSTER").arg("INFO")).await;
            redis::from_redis_value::<String>(info).is_ok_and(|info| info.contains("cluster_state:ok"))
        })
        .await;
    }
    servers
}

fn url(servers: &[Server]) -> String {
    let hosts: Vec<String> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    format!("redis+cluster://{}", hosts.join(","))
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_cluster_keeps_the_promises_of_a_bus() {
    let mut servers = cluster().await;
    let (url, prefix) = (url(&servers), prefix());
    let (mut a, mut b) = (Node::start(&url, &prefix).await, Node::start(&url, &prefix).await);
    let pass = |millis: i64| tokio::time::sleep(Duration::from_millis(u64::try_from(millis).unwrap()));
    crate::bus::conformance::all(&*a.bus, pass).await;

    for n in 1..=16 {
        let room = RoomId::from_bytes([n; 16]);
        a.bus.publish(Notice::Room { room, except: None, frame: ServerFrame::RoomGone { room } });
    }
    let mut heard = Vec::new();
    for _ in 1..=16 {
        heard.push(b.hears().await);
        a.hears().await;
    }
    heard.sort_unstable();
    assert_eq!(heard, (1..=16).collect::<Vec<u8>>(), "every channel, whichever server has it");

    let everybody: Vec<UserId> = (0..20).map(user).collect();
    for (n, person) in everybody.iter().enumerate() {
        assert!(a.bus.came(*person, connection(u8::try_from(n).unwrap())).await);
    }
    b.sees_online(&everybody).await;
    a.dies();
    let mut told = Vec::new();
    while told.len() < everybody.len() {
        let News::Departed(people) = b.is_told().await else { panic!("they departed") };
        told.extend(people);
    }
    told.sort();
    assert_eq!(told, everybody);

    servers[0].kill();
    b.is_down().await;
    assert!(b.bus.came(user(1), connection(1)).await, "it goes on alone");
    servers[0].run().await;
    b.is_up().await;
    assert_eq!(b.bus.take("login", Rate { burst: 1, per_ms: 3_600_000 }).await, Ok(()));
}
