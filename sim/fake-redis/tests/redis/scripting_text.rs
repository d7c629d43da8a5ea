//! Patterns, strings and tables for scripts. The replies are those of Redis 7.0.15.

use crate::scripting_support::{Server, check};
use leasehold_fake_redis::ScriptRules;

#[test]
fn patterns_match_as_in_lua_5_1() {
    check(&mut Server::new(ScriptRules::REDIS), PATTERNS);
}

#[test]
fn strings_and_tables_are_handled_as_in_lua_5_1() {
    check(&mut Server::new(ScriptRules::REDIS), STRINGS);
}

/// Patterns.
const PATTERNS: &str = r#"
return string.find()
    --> -ERR user_script:1: bad argument #1 to 'find' (string expected, got no value) @1
return string.find('a')
    --> -ERR user_script:1: bad argument #2 to 'find' (string expected, got no value) @1
return string.find({}, 'a')
    --> -ERR user_script:1: bad argument #1 to 'find' (string expected, got table) @1
return ('a'):find({})
    --> -ERR user_script:1: bad argument #1 to 'find' (string expected, got table) @1
return ('a'):find('a','x')
    --> -ERR user_script:1: bad argument #2 to 'find' (number expected, got string) @1
return ('a'):find('[') --> -ERR user_script:1: malformed pattern (missing ']') @1
return ('a'):find('%') --> -ERR user_script:1: malformed pattern (ends with '%') @1
return ('a'):find('(') --> -ERR user_script:1: unfinished capture @1
return ('a'):find(')') --> nil
return ('a'):find('%b') --> -ERR user_script:1: unbalanced pattern @1
return ('a'):find('%f') --> -ERR user_script:1: missing '[' after '%f' in pattern @1
return ('a'):find('[a') --> -ERR user_script:1: malformed pattern (missing ']') @1
return ('a'):find('[%') --> -ERR user_script:1: malformed pattern (missing ']') @1
return ('a'):find('%1') --> -ERR user_script:1: invalid capture index @1
return ('a'):gsub('a','%2') --> -ERR user_script:1: invalid capture index @1
return ('a'):gsub('a','%x') --> 'x'
return ('a'):gsub('a','%') --> '\x00'
return ('a'):gsub('a')
    --> -ERR user_script:1: bad argument #2 to 'gsub' (string/function/table expected) @1
return ('a'):gsub('a',true)
    --> -ERR user_script:1: bad argument #2 to 'gsub' (string/function/table expected) @1
return ('a'):gsub('a',function() return {} end)
    --> -ERR user_script:1: invalid replacement value (a table) @1
return ('abc'):gsub('%w',{a=1,b=true})
    --> -ERR user_script:1: invalid replacement value (a boolean) @1
return ('abc'):gsub('%w',{a=1,b=false}) --> '1bc'
return ('a'):gmatch()
    --> -ERR user_script:1: bad argument #1 to 'gmatch' (string expected, got no value) @1
return ('a'):gmatch('(')() --> -ERR user_script:1: unfinished capture @1
return ('a'):match('((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))')
    --> -ERR user_script:1: too many captures @1
return string.gfind==string.gmatch --> :1
return {('hello world'):find('o w')} --> [:5 :7]
return {('hello world'):find('l', -3)} --> [:10 :10]
return {('hello'):find('')} --> [:1 :0]
return {('hello'):find('', 10)} --> [:6 :5]
return {('hello'):find('', 6)} --> [:6 :5]
return {('hello'):find('l+', 1, true)} --> []
return {('hello'):match('()ll()')} --> [:3 :5]
return {('key=val'):match('(%w+)=(%w+)')} --> ['key' 'val']
return {('abc'):gsub('', '-')} --> ['-a-b-c-' :4]
return {('hello world'):gsub('o', '0', 1)} --> ['hell0 world' :1]
return {('hello'):gsub('(l)(l)', '%2%1%0')} --> ['hellllo' :1]
return {('a\0b'):find('\0')} --> [:2 :2]
return {('a\0b'):find('%z')} --> [:2 :2]
return {('THE (quick) fox'):find('%((%a+)%)')} --> [:5 :11 'quick']
return {('f(a(b)c)d'):match('%b()')} --> ['(a(b)c)']
return {('THE quick'):gsub('%f[%a]%a+','X')} --> ['X X' :2]
return {('x'):gsub('x','%%')} --> ['%' :1]
return ('x'):gsub('.', {x='%1'}) --> '%1'
return {('abc'):gsub('b*','-')} --> ['-a--c-' :4]
return {('ab12'):match('^(%a-)(%d*)$')} --> ['ab' '12']
local t={} for w in ('one two'):gmatch('%a+') do t[#t+1]=w end return t --> ['one' 'two']
return {('a.b'):find('.', 1, true)} --> [:2 :2]
return {('  x '):match('^%s*(.-)%s*$')} --> ['x']
return ('x'):find('x', 1e300) --> :1
return {('abc'):gsub('%w', '%0%0', -1)} --> ['abc' :0]
return {('abc'):gsub('%w', function(c) if c=='b' then return nil end return 5 end)} --> ['5b5' :3]
return {('a]b'):find('[]]')} --> [:2 :2]
return {('a-b'):find('[a-]', 2)} --> [:2 :2]
return {('a^b'):find('[%^]')} --> [:2 :2]
return {('b'):find('[^a]')} --> [:1 :1]
return {('-'):find('[a%-z]')} --> [:1 :1]
return {('x^y'):find('^y')} --> []
return {('x^y'):gsub('^x','z')} --> ['z^y' :1]
local t={} for w in ('^a^a'):gmatch('^a') do t[#t+1]=w end return t --> ['^a' '^a']
return {('$a'):find('$')} --> [:3 :2]
return {('a$'):find('$a')} --> []
return {('abc'):gsub('(b)', function(c) return c..c end)} --> ['abbc' :1]
return {('abc'):gsub('()b', '%1')} --> ['a2c' :1]
return {('abc'):gsub('b', function() error({err='MY x'}) end)} --> -MY x @1
return {pcall(string.gsub, 'abc', 'b', function() error({a=1}) end)} --> [nil []]
return {pcall(string.gsub, 'abc', 'b', function() error('z') end)} --> [nil 'user_script:1: z']
return ('abc'):gsub('b', function() return redis.call('nope') end)
    --> -ERR Unknown Redis command called from script @1
return {('abc'):find('b', -10)} --> [:2 :2]
return {('aaa'):find('a-b')} --> []
return {('aab'):match('(a-)b')} --> ['aa']
return {('abab'):match('(ab)%1')} --> ['ab']
return {('[[x]]'):match('%[%[(.*)%]%]')} --> ['x']
return {('x=1, y=2'):gsub('(%w+)=(%w+)', '%2=%1')} --> ['1=x, 2=y' :2]
return {('abc'):gsub('', '')} --> ['abc' :4]
return {(''):gsub('', 'x')} --> ['x' :1]
return {(''):gsub('^', 'x')} --> ['x' :1]
return {('a.b-c'):gsub('%p', '%%')} --> ['a%b%c' :2]
return {('a\\b'):match('\\')} --> ['\\']
return {('0x1F'):match('^0[xX](%x+)$')} --> ['1F']
return {('a b'):match('(%S+)%s(%S+)')} --> ['a' 'b']
return {string.find('abc', 'b', nil, true)} --> [:2 :2]
return {string.match('abc', '', 4)} --> ['']
return {string.match('abc', '', 5)} --> ['']
return {string.match('2024-01-02', '(%d+)-(%d+)-(%d+)')} --> ['2024' '01' '02']
"#;

/// Other functions of the libraries.
const STRINGS: &str = r#"
local t={} for k in pairs(redis) do t[#t+1]=k end table.sort(t) return t
    --> ['LOG_DEBUG' 'LOG_NOTICE' 'LOG_VERBOSE' 'LOG_WARNING' 'REDIS_VERSION' 'REDIS_VERSION_NUM' 'REPL_ALL' 'REPL_AOF' 'REPL_NONE' 'REPL_REPLICA' 'REPL_SLAVE' 'acl_check_cmd' 'breakpoint' 'call' 'debug' 'error_reply' 'log' 'pcall' 'replicate_commands' 'set_repl' 'setresp' 'sha1hex' 'status_reply']
local t={} for k in pairs(string) do t[#t+1]=k end table.sort(t) return t
    --> ['byte' 'char' 'dump' 'find' 'format' 'gfind' 'gmatch' 'gsub' 'len' 'lower' 'match' 'rep' 'reverse' 'sub' 'upper']
local t={} for k in pairs(table) do t[#t+1]=k end table.sort(t) return t
    --> ['concat' 'foreach' 'foreachi' 'getn' 'insert' 'maxn' 'remove' 'setn' 'sort']
local t={} for k in pairs(math) do t[#t+1]=k end table.sort(t) return t
    --> ['abs' 'acos' 'asin' 'atan' 'atan2' 'ceil' 'cos' 'cosh' 'deg' 'exp' 'floor' 'fmod' 'frexp' 'huge' 'ldexp' 'log' 'log10' 'max' 'min' 'mod' 'modf' 'pi' 'pow' 'rad' 'random' 'randomseed' 'sin' 'sinh' 'sqrt' 'tan' 'tanh']
local t={} for k in pairs(bit) do t[#t+1]=k end table.sort(t) return t
    --> ['arshift' 'band' 'bnot' 'bor' 'bswap' 'bxor' 'lshift' 'rol' 'ror' 'rshift' 'tobit' 'tohex']
local t={} for k in pairs(coroutine) do t[#t+1]=k end table.sort(t) return t
    --> ['create' 'resume' 'running' 'status' 'wrap' 'yield']
return string.dump(function() end):sub(1,4) --> '\x1bLua'
return {pcall(string.dump, print)}
    --> -ERR user_script:1: Script attempted to access nonexistent global variable 'print' @1
return tostring({}):sub(1,7) --> 'table: '
return tostring(redis.call):sub(1,9) --> 'function:'
return table.insert(string,1) --> -ERR Attempt to modify a readonly table @1
return table.sort(string) --> nil
return table.remove(string) --> nil
return table.setn --> nil
return string.rep('x',-1) --> ''
return string.rep('x',1/0) --> ''
return string.rep()
    --> -ERR user_script:1: bad argument #1 to 'rep' (string expected, got no value) @1
return ('x'):rep('a')
    --> -ERR user_script:1: bad argument #1 to 'rep' (number expected, got string) @1
return ('x'):rep()
    --> -ERR user_script:1: bad argument #1 to 'rep' (number expected, got no value) @1
return ('x'):bad() --> -ERR user_script:1: attempt to call method 'bad' (a nil value) @1
return table.insert(nil,1)
    --> -ERR user_script:1: bad argument #1 to 'insert' (table expected, got nil) @1
return table.insert({},1,2,3) --> -ERR user_script:1: wrong number of arguments to 'insert' @1
return table.insert({}) --> -ERR user_script:1: wrong number of arguments to 'insert' @1
return table.concat({1,{},3})
    --> -ERR user_script:1: invalid value (table) at index 2 in table for 'concat' @1
return table.insert({}, 'x', 1)
    --> -ERR user_script:1: bad argument #2 to 'insert' (number expected, got string) @1
return table.remove({}) --> nil
return (('x'):rep(100)):rep(10) and 1 --> :1
return ('a?'):rep(3) --> 'a?a?a?'
return table.concat({1,2,3}, ',') --> '1,2,3'
return string.format('%5.2f|%d|%s|%q|%x', 3.14159, 42, 'x', 'a"b', 255)
    --> ' 3.14|42|x|\"a\\\"b\"|ff'
local t = {} table.insert(t, 'a') table.insert(t, 1, 'b') table.insert(t, 5, 'c') return {#t, t[1], t[2], t[5]}
    --> [:2 'b' 'a' 'c']
local t = {3,1,2} table.sort(t) return t --> [:1 :2 :3]
local t = {3,1,2} table.sort(t, function(a,b) return a > b end) return t --> [:3 :2 :1]
return {math.floor(-1.5), math.max(1,2), math.huge > 1 and 1} --> [:-2 :2 :1]
return ('x'):rep(3, ',') --> 'xxx'
return ('%d'):format(3.7) --> '3'
return ('%s'):format(nil)
    --> -ERR user_script:1: bad argument #1 to 'format' (string expected, got nil) @1
return ('%s'):format({})
    --> -ERR user_script:1: bad argument #1 to 'format' (string expected, got table) @1
return ('%10s|'):format('x') --> '         x|'
return string.byte('A') --> :65
return {string.byte('abc', 1, -1)} --> [:97 :98 :99]
return string.char(72, 105) --> 'Hi'
return string.char(256) --> -ERR user_script:1: bad argument #1 to 'char' (invalid value) @1
return ('abc'):sub(-2) --> 'bc'
return ('abc'):upper():lower():reverse():len() --> :3
"#;
