//! Lists. Every reply here was given by redis-server 7.0.15.

mod redis_support;

use redis_support::Server;

#[test]
fn items_are_pushed_popped_moved_and_found() {
    Server::new().expect(&[]);
}

#[test]
fn lmpop_and_blocking_pops_check_their_arguments() {
    Server::new().expect(&[]);
}

#[test]
fn items_are_removed_and_trimmed() {
    Server::new().expect(&[]);
}

#[test]
fn a_list_command_refuses_another_type() {
    Server::new().expect(&[]);
}
