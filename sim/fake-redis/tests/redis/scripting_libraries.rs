//! `bit`, `struct` and `cmsgpack` for scripts. The replies are those of Redis 7.0.15.

use crate::scripting_support::{Server, check};
use leasehold_fake_redis::ScriptRules;

#[test]
fn bits_are_those_of_32_bit_numbers() {
    check(&mut Server::new(ScriptRules::REDIS), BIT);
}

#[test]
fn structures_are_packed_as_in_c() {
    check(&mut Server::new(ScriptRules::REDIS), STRUCT);
}

#[test]
fn messages_are_packed_and_unpacked() {
    check(&mut Server::new(ScriptRules::REDIS), MSGPACK);
}

/// Bitwise operations.
const BIT: &str = r#"
return bit.tobit(0xffffffff) --> :-1
return bit.tobit(2^40+1) --> :1
return bit.tobit(1.5) --> :2
return bit.tobit(2.5) --> :2
return bit.tobit(-1.5) --> :-2
return bit.tobit(1e300) --> :-2013235812
return bit.tobit('x')
    --> -ERR user_script:1: bad argument #1 to 'tobit' (number expected, got string) @1
return bit.tobit('0x10') --> :16
return bit.tobit()
    --> -ERR user_script:1: bad argument #1 to 'tobit' (number expected, got no value) @1
return bit.tohex(255) --> '000000ff'
return bit.tohex(255,4) --> '00ff'
return bit.tohex(255,-4) --> '00FF'
return bit.tohex(-1,100) --> 'ffffffff'
return bit.tohex(1,0) --> ''
return bit.bnot(0) --> :-1
return bit.band(0xff,0x0f,3) --> :3
return bit.bor(1,2,4) --> :7
return bit.bxor(1,3) --> :2
return bit.band()
    --> -ERR user_script:1: bad argument #1 to 'band' (number expected, got no value) @1
return bit.band(1) --> :1
return bit.lshift(1,31) --> :-2147483648
return bit.lshift(1,33) --> :2
return bit.rshift(-1,1) --> :2147483647
return bit.arshift(-8,1) --> :-4
return bit.rol(0x12345678,8) --> :878082066
return bit.ror(0x12345678,8) --> :2014458966
return bit.bswap(0x12345678) --> :2018915346
return bit.lshift(1)
    --> -ERR user_script:1: bad argument #2 to 'lshift' (number expected, got no value) @1
return bit.bor(1,{})
    --> -ERR user_script:1: bad argument #2 to 'bor' (number expected, got table) @1
"#;

/// Layouts.
const STRUCT: &str = r#"
local t={} for k in pairs(struct) do t[#t+1]=k end table.sort(t) return t
    --> ['pack' 'size' 'unpack']
return struct.pack('>I2',258) --> '\x01\x02'
return struct.pack('<i4',-2) --> '\xfe\xff\xff\xff'
return struct.pack('bBhHlLTfd',-1,255,-2,65535,-3,4,5,1.5,2.5)
    --> '\xff\xff\xfe\xff\xff\xff\xfd\xff\xff\xff\xff\xff\xff\xff\x04\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc0?\x00\x00\x00\x00\x00\x00\x04@'
return struct.pack('s','abc') --> 'abc\x00'
return struct.pack('c3','abcd') --> 'abc'
return struct.pack('c0','abcd') --> 'abcd'
return struct.pack('c5','abc')
    --> -ERR user_script:1: bad argument #3 to 'pack' (string too short) @1
return struct.pack('>!4 bi4',1,2) --> '\x01\x00\x00\x00\x00\x00\x00\x02'
return struct.pack('i3',1) --> '\x01\x00\x00'
return struct.pack('i33',1) --> -ERR user_script:1: integral size 33 is larger than limit of 32 @1
return struct.pack('!8 bd',1,2) --> '\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00@'
return struct.pack('!3 b',1) --> -ERR user_script:1: alignment 3 is not a power of 2 @1
return struct.pack('!64 b',1) --> '\x01'
return struct.pack('z',1)
    --> -ERR user_script:1: bad argument #1 to 'pack' (invalid format option 'z') @1
return struct.pack('xxb',1) --> '\x00\x00\x01'
return struct.pack('b')
    --> -ERR user_script:1: bad argument #2 to 'pack' (number expected, got nil) @1
return struct.pack('b','x')
    --> -ERR user_script:1: bad argument #2 to 'pack' (number expected, got string) @1
return struct.pack('>f d',1.5,2.5) --> '?\xc0\x00\x00@\x04\x00\x00\x00\x00\x00\x00'
return struct.pack('=b',1)
    --> -ERR user_script:1: bad argument #1 to 'pack' (invalid format option '=') @1
return struct.pack()
    --> -ERR user_script:1: bad argument #1 to 'pack' (string expected, got no value) @1
return {struct.unpack('>I2','\1\2')} --> [:258 :3]
return {struct.unpack('<i4','\254\255\255\255')} --> [:-2 :5]
return {struct.unpack('bB','\255\255')} --> [:-1 :255 :3]
return {struct.unpack('s','abc\0def')} --> ['abc' :5]
return {struct.unpack('s','abc')} --> -ERR user_script:1: unfinished string in data @1
return {struct.unpack('c3','abcd')} --> ['abc' :4]
return {struct.unpack('Bc0','\3abcd')} --> ['abc' :5]
return {struct.unpack('c0','abcd')} --> -ERR user_script:1: format 'c0' needs a previous size @1
return {struct.unpack('sc0','abc\0x')} --> -ERR user_script:1: format 'c0' needs a previous size @1
return {struct.unpack('I4','\1')}
    --> -ERR user_script:1: bad argument #2 to 'unpack' (data string too short) @1
return {struct.unpack('b','\1\2',2)} --> [:2 :3]
return {struct.unpack('b','\1\2',0)}
    --> -ERR user_script:1: bad argument #3 to 'unpack' (offset must be 1 or greater) @1
return {struct.unpack('b','\1\2',-1)}
    --> -ERR user_script:1: bad argument #2 to 'unpack' (data string too short) @1
return {struct.unpack('b','\1\2',5)}
    --> -ERR user_script:1: bad argument #2 to 'unpack' (data string too short) @1
return {struct.unpack('d',struct.pack('d',2.5))} --> [:2 :9]
return tostring(struct.unpack('L','\255\255\255\255\255\255\255\255')) --> '1.844674407371e+19'
return tostring(struct.unpack('>l','\255\255\255\255\255\255\255\255')) --> '-1'
return tostring(struct.unpack('f',struct.pack('f',0.1))) --> '0.10000000149012'
return struct.size('bhl') --> :11
return struct.size('!bhl') --> :16
return struct.size('!4bld') --> :20
return struct.size('s')
    --> -ERR user_script:1: bad argument #1 to 'size' (option 's' has no fixed size) @1
return struct.size('c0')
    --> -ERR user_script:1: bad argument #1 to 'size' (option 'c0' has no fixed size) @1
return struct.size('c10') --> :10
return struct.size('i8x') --> :9
return struct.size('q') --> :0
return struct.size('i99999999999') --> -ERR user_script:1: integral size overflow @1
return struct.size('c2147483647c2147483647') --> :4294967294
return struct.pack('i', 2^33) --> '\x00\x00\x00\x00'
return struct.pack('I', -1) --> '\xff\xff\xff\xff'
return struct.pack('B', 256) --> '\x00'
return struct.pack('i8', 2^62) --> '\x00\x00\x00\x00\x00\x00\x00@'
return struct.pack('n',1)
    --> -ERR user_script:1: bad argument #1 to 'pack' (invalid format option 'n') @1
return struct.pack('T',1) --> '\x01\x00\x00\x00\x00\x00\x00\x00'
return struct.pack('i0',1) --> ''
return struct.pack('i16',-1) --> '\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00'
return struct.pack('>i16',1) --> '\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01'
return {struct.unpack('>i16',struct.pack('>i16',5))} --> [:5 :17]
return {struct.unpack('>i3','\255\255\254')} --> [:-2 :4]
"#;

/// MessagePack.
const MSGPACK: &str = r#"
local t={} for k in pairs(cmsgpack) do t[#t+1]=k end table.sort(t) return t
    --> ['_COPYRIGHT' '_DESCRIPTION' '_NAME' '_VERSION' 'pack' 'unpack' 'unpack_limit' 'unpack_one']
return cmsgpack.pack(1) --> '\x01'
return cmsgpack.pack(-1) --> '\xff'
return cmsgpack.pack(127) --> '\x7f'
return cmsgpack.pack(128) --> '\xcc\x80'
return cmsgpack.pack(-33) --> '\xd0\xdf'
return cmsgpack.pack(70000) --> '\xce\x00\x01\x11p'
return cmsgpack.pack(-70000) --> '\xd2\xff\xfe\xee\x90'
return cmsgpack.pack(2^40) --> '\xcf\x00\x00\x01\x00\x00\x00\x00\x00'
return cmsgpack.pack(-2^40) --> '\xd3\xff\xff\xff\x00\x00\x00\x00\x00'
return cmsgpack.pack(2^63) --> '\xca_\x00\x00\x00'
return cmsgpack.pack(2^64) --> '\xca_\x80\x00\x00'
return cmsgpack.pack(-2^63) --> '\xd3\x80\x00\x00\x00\x00\x00\x00\x00'
return cmsgpack.pack(1.5) --> '\xca?\xc0\x00\x00'
return cmsgpack.pack(0.1) --> '\xcb?\xb9\x99\x99\x99\x99\x99\x9a'
return cmsgpack.pack(1/0) --> '\xca\x7f\x80\x00\x00'
return cmsgpack.pack(0/0) --> '\xcb\xff\xf8\x00\x00\x00\x00\x00\x00'
return cmsgpack.pack('a') --> '\xa1a'
return cmsgpack.pack(('a'):rep(32)) --> '\xd9 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
return cmsgpack.pack(('a'):rep(256)):sub(1,3) --> '\xda\x01\x00'
return cmsgpack.pack(('a'):rep(70000)):sub(1,5) --> '\xdb\x00\x01\x11p'
return cmsgpack.pack(true,false,nil) --> '\xc3\xc2\xc0'
return cmsgpack.pack({}) --> '\x90'
return cmsgpack.pack({1,2}) --> '\x92\x01\x02'
return cmsgpack.pack({a=1}) --> '\x81\xa1a\x01'
return cmsgpack.pack({1,nil,3}) --> '\x82\x01\x01\x03\x03'
return cmsgpack.pack({[1]=1,[3]=3}) --> '\x82\x01\x01\x03\x03'
return cmsgpack.pack({1,2,a=3}) --> '\x83\x01\x01\x02\x02\xa1a\x03'
return cmsgpack.pack({[1.5]=1}) --> '\x81\xca?\xc0\x00\x00\x01'
return cmsgpack.pack({[0]=1}) --> '\x81\x00\x01'
return cmsgpack.pack({{},{1}},{a={b=1}}) --> '\x92\x90\x91\x01\x81\xa1a\x81\xa1b\x01'
return cmsgpack.pack(type) --> '\xc0'
return cmsgpack.pack()
    --> -ERR user_script:1: bad argument #0 to 'pack' (MessagePack pack needs input.) @1
local t={} t[1]=t return cmsgpack.pack(t)
    --> '\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0'
local t={} for i=1,16 do t['k'..i]=1 end return cmsgpack.pack(t):sub(1,3) --> '\xde\x00\x10'
return {cmsgpack.unpack('\1\2\3')} --> [:1 :2 :3]
return {cmsgpack.unpack(cmsgpack.pack({1,{a='b'}},'x',true,1.5))} --> [[:1 []] 'x' :1 :1]
return {cmsgpack.unpack('')} --> []
return {cmsgpack.unpack('\146\1')} --> -ERR user_script:1: Missing bytes in input. @1
return {cmsgpack.unpack('\193')} --> -ERR user_script:1: Bad data format in input. @1
return {cmsgpack.unpack(1)} --> [:49]
return {cmsgpack.unpack({})}
    --> -ERR user_script:1: bad argument #1 to 'unpack' (string expected, got table) @1
return {cmsgpack.unpack()}
    --> -ERR user_script:1: bad argument #1 to 'unpack' (string expected, got no value) @1
return {cmsgpack.unpack_one('\1\2\3')} --> [:1 :1]
return {cmsgpack.unpack_one('\1\2\3',1)} --> [:2 :2]
return {cmsgpack.unpack_one('\1\2\3',2)} --> [:-1 :3]
return {cmsgpack.unpack_one('\1\2\3',3)} --> [:-1]
return {cmsgpack.unpack_one('\1\2\3',9)}
    --> -ERR user_script:1: Start offset 9 greater than input length 3. @1
return {cmsgpack.unpack_one('\1\2\3',-1)}
    --> -ERR user_script:1: Invalid request to unpack with offset of -1 and limit of 3. @1
return {cmsgpack.unpack_limit('\1\2\3',2)} --> [:2 :1 :2]
return {cmsgpack.unpack_limit('\1\2\3',2,1)} --> [:-1 :2 :3]
return {cmsgpack.unpack_limit('\1\2\3',9)} --> [:-1 :1 :2 :3]
return {cmsgpack.unpack_limit('\1\2\3',0)} --> [:1 :2 :3]
return {cmsgpack.unpack_limit('\1\2\3',-1)}
    --> -ERR user_script:1: Invalid request to unpack with offset of 0 and limit of 3. @1
return {cmsgpack.unpack_limit('\1\2\3')}
    --> -ERR user_script:1: bad argument #2 to 'unpack_limit' (number expected, got no value) @1
return tostring(cmsgpack.unpack('\192')) --> 'nil'
return tostring(cmsgpack.unpack('\207\255\255\255\255\255\255\255\255')) --> '-1'
return tostring(cmsgpack.unpack('\211\255\255\255\255\255\255\255\254')) --> '-2'
return cmsgpack.unpack('\196\2ab') --> -ERR user_script:1: Bad data format in input. @1
return cmsgpack.unpack('\217\2ab') --> 'ab'
return cmsgpack.unpack('\217\2a') --> -ERR user_script:1: Missing bytes in input. @1
return cmsgpack.unpack('\220\0\2\1\2') --> [:1 :2]
return cmsgpack.unpack('\222\0\1\161a\2').a --> :2
return cmsgpack.unpack('\221\255\255\255\255') --> -ERR user_script:1: Missing bytes in input. @1
return cmsgpack.unpack('\129\192\1') --> -ERR table index is nil @1
return cmsgpack.unpack('\199\1\1a') --> -ERR user_script:1: Bad data format in input. @1
"#;
