//! `cjson` for scripts. The replies are those of Redis 7.0.15.

use crate::scripting_support::{Server, check};
use leasehold_fake_redis::ScriptRules;

#[test]
fn values_become_json_and_back() {
    check(&mut Server::new(ScriptRules::REDIS), VALUES);
}

#[test]
fn wrong_json_is_refused_in_the_words_of_redis() {
    check(&mut Server::new(ScriptRules::REDIS), REFUSED);
}

/// Encoding, decoding, and what cannot be told.
const VALUES: &str = r#"
local t={} for k in pairs(cjson) do t[#t+1]=k end table.sort(t) return t
    --> ['_NAME' '_VERSION' 'decode' 'decode_invalid_numbers' 'decode_max_depth' 'encode' 'encode_invalid_numbers' 'encode_keep_buffer' 'encode_max_depth' 'encode_number_precision' 'encode_sparse_array' 'new' 'null']
return {cjson._NAME,cjson._VERSION,cmsgpack._NAME,cmsgpack._VERSION,cmsgpack._COPYRIGHT,cmsgpack._DESCRIPTION}
    --> ['cjson' '2.1.0' 'cmsgpack' 'lua-cmsgpack 0.4.0' 'Copyright (C) 2012, Salvatore Sanfilippo' 'MessagePack C implementation for Lua']
return tostring(cjson.null) --> 'userdata: (nil)'
return type(cjson.null) --> 'userdata'
return cjson.encode({}) --> '{}'
return cjson.encode({1,2,3}) --> '[1,2,3]'
return cjson.encode({a=1}) --> '{\"a\":1}'
return cjson.encode({1,nil,3}) --> '[1,null,3]'
return cjson.encode({[1]=1,[2]=2,[10]=1}) --> '[1,2,null,null,null,null,null,null,null,1]'
return cjson.encode({[0]=1}) --> '{\"0\":1}'
return cjson.encode({[-1]=1}) --> '{\"-1\":1}'
return cjson.encode({[1.5]=1}) --> '{\"1.5\":1}'
return cjson.encode({1,2,a=3}) --> '{\"1\":1,\"2\":2,\"a\":3}'
return cjson.encode('a/b\"\\\n\r\t\b\f\0\31\127\200')
    --> '\"a\\/b\\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u001f\\u007f\xc8\"'
return cjson.encode(1.1) --> '1.1'
return cjson.encode(1e15) --> '1e+15'
return cjson.encode(123456789012345678) --> '1.2345678901235e+17'
return cjson.encode(0.1+0.2) --> '0.3'
return cjson.encode(1e100) --> '1e+100'
return cjson.encode(nil) --> 'null'
return cjson.encode(cjson.null) --> 'null'
return cjson.encode(true) --> 'true'
local t={} for i=1,999 do t={t} end return #cjson.encode(t) --> :2000
return type(cjson.new) --> 'function'
return cjson.decode('[1,2,{"a":null}]')[3].a == cjson.null --> :1
return cjson.decode('null') == cjson.null --> :1
return cjson.decode('"\\u00e9\\ud83d\\ude00"') --> '\xc3\xa9\xf0\x9f\x98\x80'
return cjson.decode('"\\u0000a"') --> '\x00a'
return cjson.decode('"a\nb"') --> 'a\nb'
return cjson.decode('01') --> :1
return tostring(cjson.decode('-1.5e3')) --> '-1500'
return tostring(cjson.decode('0x10')) --> '16'
return tostring(cjson.decode('nan')) --> 'nan'
return tostring(cjson.decode('inf')) --> 'inf'
return tostring(cjson.decode('-infinity')) --> '-inf'
return tostring(cjson.decode('+1')) --> '1'
return tostring(cjson.decode('5.')) --> '5'
return tostring(cjson.decode('12345678901234567890')) --> '1.2345678901235e+19'
return cjson.decode('{"a":1,"a":2}').a --> :2
return cjson.decode(1) --> :1
return cjson.decode(('['):rep(1000)..(']'):rep(1000)) and 1 --> :1
return cjson.decode('[true,false,"x"]') --> [:1 nil 'x']
return cjson.decode('"a\\/b\\b"') --> 'a/b\x08'
return cjson.encode(cjson.decode('{"b":1,"a":2,"c":[],"d":{}}'))
    --> '{\"a\":2,\"d\":{},\"c\":{},\"b\":1}'
return cjson.encode({z=1,y=2,x=3,w=4,v=5}) --> '{\"y\":2,\"x\":3,\"z\":1,\"w\":4,\"v\":5}'
return cjson.encode({[1]='x',[3]=2}) --> '[\"x\",null,2]'
local t = setmetatable({}, {__index=function() return 1 end}) return cjson.encode(t) --> '{}'
return cjson.encode({['1']=2, [2]=3}) --> '{\"1\":2,\"2\":3}'
return cjson.encode({[1e300]=1}) --> '{\"1e+300\":1}'
return cjson.encode({[2^31]=1}) --> '{\"2147483648\":1}'
return cjson.encode({[3]=1,[4]=1}) --> '[null,null,1,1]'
return cjson.decode('[1e5,1E-2, 00]') --> [:100000 :0 :0]
return cjson.decode('{"a":01}') --> []
return cjson.decode('"\127\200"') --> '\x7f\xc8'
return cjson.decode("[1] \n\t\r ")[1] --> :1
return cjson.encode({x={y={1,2,{}}}, n=cjson.null}) --> '{\"n\":null,\"x\":{\"y\":[1,2,{}]}}'
"#;

/// What is no JSON, or has none.
const REFUSED: &str = r#"
return cjson.encode({[1]=1,[11]=1})
    --> -ERR user_script:1: Cannot serialise table: excessively sparse array @1
return cjson.encode({[1]=1,[50]=1})
    --> -ERR user_script:1: Cannot serialise table: excessively sparse array @1
return cjson.encode({[true]=1})
    --> -ERR user_script:1: Cannot serialise boolean: table key must be a number or string @1
return cjson.encode(1/0) --> -ERR user_script:1: Cannot serialise number: must not be NaN or Inf @1
return cjson.encode(0/0) --> -ERR user_script:1: Cannot serialise number: must not be NaN or Inf @1
return cjson.encode(type) --> -ERR user_script:1: Cannot serialise function: type not supported @1
return cjson.encode({type}) --> -ERR user_script:1: Cannot serialise function: type not supported @1
return cjson.encode() --> -ERR user_script:1: bad argument #1 to 'encode' (expected 1 argument) @1
return cjson.encode(1,2)
    --> -ERR user_script:1: bad argument #1 to 'encode' (expected 1 argument) @1
local t={} for i=1,1000 do t={t} end return #cjson.encode(t)
    --> -ERR user_script:1: Cannot serialise, excessive nesting (1001) @1
local t={} t[1]=t return cjson.encode(t)
    --> -ERR user_script:1: Cannot serialise, excessive nesting (1001) @1
return cjson.decode('') --> -ERR user_script:1: Expected value but found T_END at character 1 @1
return cjson.decode(' ') --> -ERR user_script:1: Expected value but found T_END at character 2 @1
return cjson.decode('{')
    --> -ERR user_script:1: Expected object key string but found T_END at character 2 @1
return cjson.decode('[1,') --> -ERR user_script:1: Expected value but found T_END at character 4 @1
return cjson.decode('[1 2]')
    --> -ERR user_script:1: Expected comma or array end but found T_NUMBER at character 4 @1
return cjson.decode('{"a" 1}')
    --> -ERR user_script:1: Expected colon but found T_NUMBER at character 6 @1
return cjson.decode('{1:1}')
    --> -ERR user_script:1: Expected object key string but found T_NUMBER at character 2 @1
return cjson.decode('{"a":1,}')
    --> -ERR user_script:1: Expected object key string but found T_OBJ_END at character 8 @1
return cjson.decode('[1,]')
    --> -ERR user_script:1: Expected value but found T_ARR_END at character 4 @1
return cjson.decode('nul')
    --> -ERR user_script:1: Expected value but found invalid token at character 1 @1
return cjson.decode('tru')
    --> -ERR user_script:1: Expected value but found invalid token at character 1 @1
return cjson.decode('"abc')
    --> -ERR user_script:1: Expected value but found unexpected end of string at character 5 @1
return cjson.decode('"a\\x"')
    --> -ERR user_script:1: Expected value but found invalid escape code at character 3 @1
return cjson.decode('"\\ud83d"')
    --> -ERR user_script:1: Expected value but found invalid unicode escape code at character 2 @1
return cjson.decode('"\\ud83dx"')
    --> -ERR user_script:1: Expected value but found invalid unicode escape code at character 2 @1
return cjson.decode('"\\udc00"')
    --> -ERR user_script:1: Expected value but found invalid unicode escape code at character 2 @1
return cjson.decode('"\\u12"')
    --> -ERR user_script:1: Expected value but found invalid unicode escape code at character 2 @1
return tostring(cjson.decode('.5'))
    --> -ERR user_script:1: Expected value but found invalid token at character 1 @1
return tostring(cjson.decode('1e'))
    --> -ERR user_script:1: Expected the end but found invalid token at character 2 @1
return tostring(cjson.decode('-'))
    --> -ERR user_script:1: Expected value but found invalid number at character 1 @1
return cjson.decode('1 x')
    --> -ERR user_script:1: Expected the end but found invalid token at character 3 @1
return cjson.decode('[1]]')
    --> -ERR user_script:1: Expected the end but found T_ARR_END at character 4 @1
return cjson.decode({})
    --> -ERR user_script:1: bad argument #1 to 'decode' (string expected, got table) @1
return cjson.decode() --> -ERR user_script:1: bad argument #1 to 'decode' (expected 1 argument) @1
return cjson.decode('1','2')
    --> -ERR user_script:1: bad argument #1 to 'decode' (expected 1 argument) @1
return cjson.decode('\0\0[1]')
    --> -ERR user_script:1: JSON parser does not support UTF-16 or UTF-32 @1
return cjson.decode('\239\187\1911')
    --> -ERR user_script:1: Expected value but found invalid token at character 1 @1
return cjson.decode(('['):rep(1001)..(']'):rep(1001)) and 1
    --> -ERR user_script:1: Found too many nested data structures (1001) at character 1001 @1
return cjson.decode(']')
    --> -ERR user_script:1: Expected value but found T_ARR_END at character 1 @1
return cjson.encode({a=coroutine.create(type)})
    --> -ERR user_script:1: bad argument #1 to 'create' (Lua function expected) @1
cjson.x = 1 --> -ERR user_script:1: Attempt to modify a readonly table @1
cjson.encode = 1 --> -ERR user_script:1: Attempt to modify a readonly table @1
return cjson.decode('truex')
    --> -ERR user_script:1: Expected the end but found invalid token at character 5 @1
return cjson.decode('nullnull')
    --> -ERR user_script:1: Expected the end but found T_NULL at character 5 @1
return cjson.decode('@')
    --> -ERR user_script:1: Expected value but found invalid token at character 1 @1
return cjson.decode('{"a":}')
    --> -ERR user_script:1: Expected value but found T_OBJ_END at character 6 @1
return cjson.decode('{,}')
    --> -ERR user_script:1: Expected object key string but found T_COMMA at character 2 @1
return cjson.decode('{"a":1')
    --> -ERR user_script:1: Expected comma or object end but found T_END at character 7 @1
return cjson.decode('[\11]')
    --> -ERR user_script:1: Expected value but found invalid token at character 2 @1
return cjson.decode('\11\12[1]')
    --> -ERR user_script:1: Expected value but found invalid token at character 1 @1
"#;
