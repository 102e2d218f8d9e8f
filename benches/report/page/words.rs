//! What the page says in words. No figure stands here but those of others, which this repository does not measure.

pub(super) const HEAD: &str = "\
# Performance

<!-- Made from the files in docs/performance by `cargo bench --bench report`: edit benches/report instead. -->

What a review costs, what grows and what does not, and how long clients wait. Every figure comes from a file in
[performance](performance), which is what the instruments wrote; this page adds nothing but medians, ratios and lines through
points. What could as well be chance is called noise: where the ranges of two servers meet, or where a range holds the mark.

- **CPU** is user and system time of the server's process, from the scheduler's own count, in seconds for 1,000 requests.
- **N** answers a constant, **P** also parses the body into a `serde_json::Value` and echoes its uid; both run on the
  connection code, allocator and build of the product. **H** is hyper and rustls alone, with a constant answer.
- All servers of a table ran side by side, each in a process of its own, and took turns, there and back, round by round.
- Every answer was checked: uid, verdict, code, and each operation of a patch. One wrong answer ends a run without a figure.
- **The load generator runs on the same cores as the servers.** So CPU is what is compared; requests a second say what both
  together can do, and latencies have the generator's part in them, which is measured apart.

```
make bench                                      # all of it: writes the files and this page
cargo bench --bench load -- --quick             # the scenarios in two minutes, to the terminal
cargo bench --bench load -- -p DIR --limit 0.6  # your policies beside both floors
```
";

pub(super) const COST: &str = "\
`(A - N) / (P - N)` is what judging a review takes, in units of what merely parsing it takes: 0 is the floor that no webhook
on this connection code can go below, 1 a webhook that parses and does nothing. `pod` is a pod with three containers as a
controller creates it, managedFields included; the policies are the fourteen rules of `benches/rules.vap.yaml`, the same rules
as modules, and the pack `hardened`. The range is that of the rounds' own ratios.";

pub(super) const API_SERVER: &str = "\
The same policies in the API server and in the webhook, with real writes: what the control plane and the webhook take
together.";

pub(super) const GROWTH: &str = "\
Where none of them matches, many policies should cost what one costs. Where they match, and with larger objects, cost should
grow in a straight line: the tables hold lines of least squares through the medians, with the share of the variance that they
explain (R²) and how far off the line a point is at most. R² alone says little, for the largest point decides it.";

pub(super) const LATENCY: &str = "\
Requests are due at a constant rate over 64 kept connections, whatever became of those before, and a request's time counts
from when it was due (no coordinated omission). N and the product take turns; the difference is that of neighbouring turns.
Near the capacity, generator and server compete for the same cores: what is seen there is a queue for both.";

pub(super) const OTHERS: &str = "\
**Not of these runs.** Measured elsewhere on the same requests, with the same fourteen rules, on the same kind of machine: two
cores shared with the load generator, 16 kept connections, CPU-seconds of the server for 1,000 requests, medians of three.
Repeats agreed within 15 %. They say how far apart things are, not more.";

pub(super) const OTHERS_TABLE: &str = "\
| server                                        |    rules | pod allowed | pod denied | MiB idle / peak |
|-----------------------------------------------|---------:|------------:|-----------:|----------------:|
| hyper and rustls, constant answer             |        0 |       0.013 |            |           4 / 9 |
| the same, body parsed                         |        0 |       0.145 |            |           5 / 9 |
| Go net/http, constant answer                  |        0 |       0.048 |            |          8 / 20 |
| the same, body parsed into a map              |        0 |        0.37 |            |          8 / 20 |
| pod-security-admission webhook, restricted    | standard |        0.76 |       0.87 |        52 / 137 |
| Kyverno 1.19, ClusterPolicy                   | standard + 4 |     7.1 |        7.6 |       140 / 206 |
| Kyverno 1.19, ValidatingPolicy (CEL)          |       14 |         8.1 |        8.2 |       143 / 200 |
| Gatekeeper 3.23, CEL                          |       14 |         9.5 |        9.4 |       121 / 179 |
| Gatekeeper 3.23, Rego                         |       14 |        16.5 |       16.7 |       116 / 249 |
";

pub(super) const MACHINE: &str = "\
What the servers and the load generator shared, and what was measured.";

pub(super) const FOOT: &str = "
Run it on a machine that does nothing else. `cargo bench --bench load -- --all --enforce` fails where a mark is not kept.
";
