use leasehold_sim::{faults::*, guarantees::*, subjects::*, run::*, decide::*};
fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    for &s in Subject::ALL { for &w in s.workloads() {
      for f in std::iter::once(None).chain(Fault::ALL.iter().copied().map(Some)) {
        if let Some(f) = f { if !s.can_suffer(f) { continue; } }
        let set = f.map_or(FaultSet::NONE, FaultSet::only);
        let t = std::time::Instant::now();
        let mut bit = 0; let mut msgs = 0; let mut first = [None; 10]; let mut cnt=[0u64;10]; let mut ex=[0u64;10];
        for i in 0..n {
            let r = Run::seeded(s.plan(w, set), 1, i);
            msgs += r.world().messages();
            if f.is_none_or(|f| r.bites(f) > 0) { bit += 1; 
              for &g in Guarantee::ALL { if r.exercised(g) {ex[g as usize]+=1;} if r.violation(g).is_some() { first[g as usize].get_or_insert(i); cnt[g as usize]+=1; } } }
        }
        println!("{} {} bit {bit}/{n} msgs {msgs} {:?}", s.name(), f.map_or("none", |f| f.name()), t.elapsed());
        for &g in Guarantee::ALL { if let Some(i) = first[g as usize] {
            let d = decisions_of(s.plan(w,set), 1, i);
            let before = d.len();
            let sh = shrink(d, 2000, |d| Run::replayed(s.plan(w,set), d).violation(g).is_some());
            let r = Run::replayed(s.plan(w,set), &sh.decisions);
            println!("    {} {}x first {i} {before}->{} in {} runs: {}", g.name(), cnt[g as usize], sh.decisions.len(), sh.runs, r.violation(g).map_or("??", |v| &v.text));
            if std::env::args().nth(2).as_deref() == Some(g.name()) { println!("{:?}", sh.decisions); for (t,e) in log_of(s.plan(w,set), &sh.decisions).events { if t <= r.violation(g).unwrap().at { println!("      {t} {e:?}"); } } }
        } else if ex[g as usize]==0 { println!("    {} NOT EXERCISED", g.name()); } }
    } } }
}
