//! x
use leasehold_sim::{faults::*, guarantees::*, subjects::*, run::*};
fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let seed: u64 = std::env::args().nth(2).unwrap().parse().unwrap();
    for &s in Subject::ALL { for &w in s.workloads() {
      for f in std::iter::once(None).chain(Fault::ALL.iter().copied().map(Some)) {
        if let Some(f) = f { if !s.can_suffer(f) { continue; } }
        let set = f.map_or(FaultSet::NONE, FaultSet::only);
        let mut bit = 0; let mut cnt=[0u64;40]; let mut ex=[0u64;40];
        for i in 0..n {
            let r = Run::seeded(s.plan(w, set), seed, i);
            if f.is_none_or(|f| r.bites(f) > 0) { bit += 1; 
              for &g in Guarantee::ALL { if r.exercised(g) {ex[g as usize]+=1;} if r.violation(g).is_some() { cnt[g as usize]+=1; } } }
        }
        for &g in Guarantee::ALL { if cnt[g as usize] > 0 { println!("{} {} {} {}/{bit}", s.name(), g.name(), f.map_or("none", |f| f.name()), cnt[g as usize]); } else if ex[g as usize]==0 {println!("{} {} {} NOTEX/{bit}", s.name(), g.name(), f.map_or("none", |f| f.name())); } }
    } } }
}
