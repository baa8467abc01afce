#pragma once

// AWS's own vectors for Signature Version 4, and what each stage of signing has to come to.

namespace nexus::test {

/// A request of the suites, headers a line each. Host and date, which all have, are not repeated.
struct AwsVector {
  const char* name;
  const char* method;
  const char* target;
  const char* headers;
  const char* body;
  const char* canonical_path;
  const char* canonical_query;
  const char* canonical_headers;
  const char* signature;
  const char* canonical_hash;  ///< the last line of the string to sign, "" where nothing tells it
};

// "-._~" and everything else that is never encoded.
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define TOKEN1 "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
#define TOKEN2                                                                                     \
  "AQoDYXdzEPT//////////"                                                                          \
  "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx" \
  "7mSEI/qkPpKPi/"                                                                                 \
  "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNV" \
  "XAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"                                                 \
  "scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

/// awslabs/aws-c-auth, tests/aws-signing-test-suite/v4: AKIDEXAMPLE/20150830/us-east-1/service.
constexpr AwsVector kAwsVectors[] = {
    {"get-header-key-duplicate", "GET", "/",
     "My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1", "", "/", "",
     "my-header1:value2,value2,value1",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
     "dc7f04a3abfde8d472b0ab1a418b741b7c67174dad1551b4117b15527fbe966c"},
    {"get-header-value-multiline", "GET", "/",
     "My-Header1:value1\nMy-Header1:  value2\nMy-Header1:     value3", "", "/", "",
     "my-header1:value1,value2,value3",
     "ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790", ""},
    {"get-header-value-order", "GET", "/",
     "My-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2", "", "/", "",
     "my-header1:value4,value1,value3,value2",
     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
     "31ce73cd3f3d9f66977ad3dd957dc47af14df92fcd8509f59b349e9137c58b86"},
    {"get-header-value-trim", "GET", "/", "My-Header1: value1\nMy-Header2: \"a   b   c\"", "", "/",
     "", "my-header1:value1\nmy-header2:\"a b c\"",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
     "a726db9b0df21c14f559d0a978e563112acb1b9e05476f0a6a1c7d68f28605c7"},
    {"get-relative-normalized", "GET", "/example/..", "", "", "/", "", "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", ""},
    {"get-relative-relative-normalized", "GET", "/example1/example2/../..", "", "", "/", "", "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", ""},
    {"get-relative-relative-unnormalized", "GET", "/example1/example2/../..", "", "",
     "/example1/example2/../..", "", "",
     "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b", ""},
    {"get-relative-unnormalized", "GET", "/example/..", "", "", "/example/..", "", "",
     "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282",
     "0511f456aa502b456d135fcb9d749374a55228f9dbeedda1eacf659e05b0615b"},
    {"get-slash-dot-slash-normalized", "GET", "/./", "", "", "/", "", "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", ""},
    {"get-slash-dot-slash-unnormalized", "GET", "/./", "", "", "/./", "", "",
     "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145", ""},
    {"get-slash-normalized", "GET", "//", "", "", "/", "", "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", ""},
    {"get-slash-unnormalized", "GET", "//", "", "", "//", "", "",
     "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e", ""},
    {"get-slash-pointless-dot-normalized", "GET", "/./example", "", "", "/example", "", "",
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5", ""},
    {"get-slash-pointless-dot-unnormalized", "GET", "/./example", "", "", "/./example", "", "",
     "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff", ""},
    {"get-slashes-normalized", "GET", "//example//", "", "", "/example/", "", "",
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84", ""},
    {"get-slashes-unnormalized", "GET", "//example//", "", "", "//example//", "", "",
     "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
     "528ec3105ee1f34ab014bb0a1a45da0ed2742a4fea3555149e5b4d5d201eb240"},
    {"get-space-normalized", "GET", "/example space/", "", "", "/example%20space/", "", "",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
     "63ee75631ed7234ae61b5f736dfc7754cdccfedbff4b5128a915706ee9390d86"},
    {"get-space-unnormalized", "GET", "/example space/", "", "", "/example%20space/", "", "",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
     "63ee75631ed7234ae61b5f736dfc7754cdccfedbff4b5128a915706ee9390d86"},
    {"get-unreserved", "GET", "/" UNRESERVED, "", "", "/" UNRESERVED, "", "",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
     "6a968768eefaa713e2a6b16b589a8ea192661f098f37349f4e2c0082757446f9"},
    {"get-utf8", "GET", "/ሴ", "", "", "/%E1%88%B4", "", "",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
     "2a0a97d02205e45ce2e994789806b19270cfbbb0921b278ccf58f5249ac42102"},
    {"get-vanilla", "GET", "/", "", "", "/", "", "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
     "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63"},
    {"get-vanilla-empty-query-key", "GET", "/?Param1=value1", "", "", "/", "Param1=value1", "",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb", ""},
    {"get-vanilla-query", "GET", "/", "", "", "/", "", "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", ""},
    {"get-vanilla-query-order-encoded", "GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "",
     "", "/", "%E1%88%B4=Value1&Param=Value2&Param-3=Value3", "",
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac", ""},
    {"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", "", "", "/",
     "Param1=value1&Param2=value2", "",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
     "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0"},
    {"get-vanilla-query-unreserved", "GET", "/?" UNRESERVED "=" UNRESERVED, "", "", "/",
     UNRESERVED "=" UNRESERVED, "",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
     "c30d4703d9f799439be92736156d47ccfb2d879ddf56f5befa6d1d6aab979177"},
    {"get-vanilla-utf8-query", "GET", "/?ሴ=bar", "", "", "/", "%E1%88%B4=bar", "",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
     "eb30c5bed55734080471a834cc727ae56beb50e5f39d1bff6d0d38cb192a7073"},
    {"get-vanilla-with-session-token", "GET", "/", "X-Amz-Security-Token:" TOKEN1, "", "/", "",
     "x-amz-security-token:" TOKEN1,
     "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8", ""},
    {"post-header-key-case", "POST", "/", "", "", "/", "", "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
     "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc87"},
    {"post-header-key-sort", "POST", "/", "My-Header1:value1", "", "/", "", "my-header1:value1",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c", ""},
    {"post-header-value-case", "POST", "/", "My-Header1:VALUE1", "", "/", "", "my-header1:VALUE1",
     "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d", ""},
    {"post-sts-header-after", "POST", "/", "", "", "/", "", "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
     "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc87"},
    {"post-sts-header-before", "POST", "/", "X-Amz-Security-Token:" TOKEN2, "", "/", "",
     "x-amz-security-token:" TOKEN2,
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead", ""},
    {"post-unsigned-payload", "POST", "/",
     "Content-Length:13\nx-amz-content-sha256:UNSIGNED-PAYLOAD", "UNSIGNED", "/", "",
     "content-length:13\nx-amz-content-sha256:UNSIGNED-PAYLOAD",
     "9fb60e8938d2178a7d63b49e055d1e65d8f6226f38846e8e0293bf43ce29050c", ""},
    {"post-vanilla", "POST", "/", "", "", "/", "", "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
     "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc87"},
    {"post-vanilla-empty-query-value", "POST", "/?Param1=value1", "", "", "/", "Param1=value1", "",
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11", ""},
    {"post-vanilla-query", "POST", "/?Param1=value1", "", "", "/", "Param1=value1", "",
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11", ""},
    {"post-vanilla-query-nonunreserved", "POST", "/?@#$%^&%2B=/,?><`\";:\\|][{}", "", "", "/",
     "%2B=%2F%2C%3F%3E%3C%60%22%3B%3A%5C%7C%5D%5B%7B%7D&%40%23%24%25%5E=", "",
     "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e", ""},
    {"post-vanilla-query-space", "POST", "/?p=", "", "", "/", "p=", "",
     "e71688addb58a26418614085fb730ba3faa623b461c17f48f2fbdb9361b94a9b", ""},
    {"post-x-www-form-urlencoded", "POST", "/",
     "Content-Type:application/"
     "x-www-form-urlencoded\nContent-Length:13\nx-amz-content-sha256:"
     "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
     "Param1=value1", "/", "",
     "content-length:13\ncontent-type:application/"
     "x-www-form-urlencoded\nx-amz-content-sha256:"
     "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
     "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b", ""},
    {"post-x-www-form-urlencoded-parameters", "POST", "/",
     "Content-Type:application/x-www-form-urlencoded; "
     "charset=utf-8\nContent-Length:13\nx-amz-content-sha256:"
     "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
     "Param1=value1", "/", "",
     "content-length:13\ncontent-type:application/x-www-form-urlencoded; "
     "charset=utf-8\nx-amz-content-sha256:"
     "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
     "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422", ""},
    {"post-x-www-form-urlencoded (of 2015)", "POST", "/",
     "Content-Type:application/x-www-form-urlencoded", "Param1=value1", "/", "",
     "content-type:application/x-www-form-urlencoded",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a", ""},
    {"post-x-www-form-urlencoded-parameters (of 2015)", "POST", "/",
     "Content-Type:application/x-www-form-urlencoded; charset=utf8", "Param1=value1", "/", "",
     "content-type:application/x-www-form-urlencoded; charset=utf8",
     "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe", ""},
};

/// boto/botocore, tests/unit/auth/aws4_testsuite: AKIDEXAMPLE/20110909/us-east-1/host. Not among
/// them are get-header-key-duplicate and get-header-value-order, which want the values of a
/// repeated header sorted: the newer suite wants them in their order.
constexpr AwsVector kOldAwsVectors[] = {
    {"get-header-value-trim", "POST", "/", "p: phfft ", "", "/", "", "p:phfft",
     "debf546796015d6f6ded8626f5ce98597c33b47b9164cf6b17b4642036fcb592",
     "dddd1902add08da1ac94782b05f9278c08dc7468db178a84f8950d93b30b1f35"},
    {"get-relative-relative", "GET", "/foo/bar/../..", "", "", "/", "", "",
     "b27ccfbfa7df52a200ff74193ca6e32d4b48b8856fab7ebf1c595d0670a7e470",
     "366b91fb121d72a00f46bbe8d395f53a102b06dfb7e79636515208ed3fa606b1"},
    {"get-relative", "GET", "/foo/..", "", "", "/", "", "",
     "b27ccfbfa7df52a200ff74193ca6e32d4b48b8856fab7ebf1c595d0670a7e470",
     "366b91fb121d72a00f46bbe8d395f53a102b06dfb7e79636515208ed3fa606b1"},
    {"get-slash-dot-slash", "GET", "/./", "", "", "/", "", "",
     "b27ccfbfa7df52a200ff74193ca6e32d4b48b8856fab7ebf1c595d0670a7e470",
     "366b91fb121d72a00f46bbe8d395f53a102b06dfb7e79636515208ed3fa606b1"},
    {"get-slash", "GET", "//", "", "", "/", "", "",
     "b27ccfbfa7df52a200ff74193ca6e32d4b48b8856fab7ebf1c595d0670a7e470",
     "366b91fb121d72a00f46bbe8d395f53a102b06dfb7e79636515208ed3fa606b1"},
    {"get-vanilla-query", "GET", "/", "", "", "/", "", "",
     "b27ccfbfa7df52a200ff74193ca6e32d4b48b8856fab7ebf1c595d0670a7e470",
     "366b91fb121d72a00f46bbe8d395f53a102b06dfb7e79636515208ed3fa606b1"},
    {"get-vanilla", "GET", "/", "", "", "/", "", "",
     "b27ccfbfa7df52a200ff74193ca6e32d4b48b8856fab7ebf1c595d0670a7e470",
     "366b91fb121d72a00f46bbe8d395f53a102b06dfb7e79636515208ed3fa606b1"},
    {"get-slash-pointless-dot", "GET", "/./foo", "", "", "/foo", "", "",
     "910e4d6c9abafaf87898e1eb4c929135782ea25bb0279703146455745391e63a",
     "8021a97572ee460f87ca67f4e8c0db763216d84715f5424a843a5312a3321e2d"},
    {"get-slashes", "GET", "//foo//", "", "", "/foo/", "", "",
     "b00392262853cfe3201e47ccf945601079e9b8a7f51ee4c3d9ee4f187aa9bf19",
     "6bb4476ee8745730c9cb79f33a0c70baa6d8af29c0077fa12e4e8f1dd17e7098"},
    {"get-space", "GET", "/%20/foo", "", "", "/%2520/foo", "", "",
     "2be9e587d1ee1f0fd02128724b86b4358ba3630d39f493b6e06610a19a50779e",
     "35975885599128f8963ce9be7219598b2b5a344321bae304529556c891e9e6ba"},
    {"get-unreserved", "GET", "/" UNRESERVED, "", "", "/" UNRESERVED, "", "",
     "830cc36d03f0f84e6ee4953fbe701c1c8b71a0372c63af9255aa364dd183281e",
     "df63ee3247c0356c696a3b21f8d8490b01fa9cd5bc6550ef5ef5f4636b7b8901"},
    {"get-utf8", "GET", "/%E1%88%B4", "", "", "/%25E1%2588%25B4", "", "",
     "57b1eb3df3b16a8479c0097b66c0b261cfd65b829419a3f2c3d05319722490b8",
     "47f4456c465167f4db3490a68903fe057412e6e030de38f71d9006467eb4922a"},
    {"get-vanilla-empty-query-key", "GET", "/?foo=bar", "", "", "/", "foo=bar", "",
     "56c054473fd260c13e4e7393eb203662195f5d4a1fada5314b8b52b23f985e9f",
     "0846c2945b0832deb7a463c66af5c4f8bd54ec28c438e67a214445b157c9ddf8"},
    {"get-vanilla-query-order-key-case", "GET", "/?foo=Zoo&foo=aha", "", "", "/", "foo=Zoo&foo=aha",
     "", "be7148d34ebccdc6423b19085378aa0bee970bdc61d144bd1a8c48c33079ab09",
     "e25f777ba161a0f1baf778a87faf057187cf5987f17953320e3ca399feb5f00d"},
    {"get-vanilla-query-order-key", "GET", "/?a=foo&b=foo", "", "", "/", "a=foo&b=foo", "",
     "0dc122f3b28b831ab48ba65cb47300de53fbe91b577fe113edac383730254a3b",
     "2f23d14fe13caebf6dfda346285c6d9c14f49eaca8f5ec55c627dd7404f7a727"},
    {"get-vanilla-query-order-value", "GET", "/?foo=b&foo=a", "", "", "/", "foo=a&foo=b", "",
     "feb926e49e382bec75c9d7dcb2a1b6dc8aa50ca43c25d2bc51143768c0875acc",
     "33dffc220e89131f8f6157a35c40903daa658608d9129ff9489e5cf5bbd9b11b"},
    {"get-vanilla-query-unreserved", "GET", "/?" UNRESERVED "=" UNRESERVED, "", "", "/",
     UNRESERVED "=" UNRESERVED, "",
     "f1498ddb4d6dae767d97c466fb92f1b59a2c71ca29ac954692663f9db03426fb",
     "d2578f3156d4c9d180713d1ff20601d8a3eed0dd35447d24603d7d67414bd6b5"},
    {"get-vanilla-ut8-query", "GET", "/?ሴ=bar", "", "", "/", "%E1%88%B4=bar", "",
     "6fb359e9a05394cc7074e0feb42573a2601abc0c869a953e8c5c12e4e01f1a8c",
     "de5065ff39c131e6c2e2bd19cd9345a794bf3b561eab20b8d97b2093fc2a979e"},
    {"post-header-key-case", "POST", "/", "", "", "/", "", "",
     "22902d79e148b64e7571c3565769328423fe276eae4b26f83afceda9e767f726",
     "05da62cee468d24ae84faff3c39f1b85540de60243c1bcaace39c0a2acc7b2c4"},
    {"post-header-key-sort", "POST", "/", "ZOO:zoobar", "", "/", "", "zoo:zoobar",
     "b7a95a52518abbca0964a999a880429ab734f35ebbf1235bd79a5de87756dc4a",
     "34e1bddeb99e76ee01d63b5e28656111e210529efeec6cdfd46a48e4c734545d"},
    {"post-header-value-case", "POST", "/", "zoo:ZOOBAR", "", "/", "", "zoo:ZOOBAR",
     "273313af9d0c265c531e11db70bbd653f3ba074c1009239e8559d3987039cad7",
     "3aae6d8274b8c03e2cc96fc7d6bda4b9bd7a0a184309344470b2c96953e124aa"},
    {"post-vanilla-empty-query-value", "POST", "/?foo=bar", "", "", "/", "foo=bar", "",
     "b6e3b79003ce0743a491606ba1035a804593b0efb1e20a11cba83f8c25a57a92",
     "cd4f39132d8e60bb388831d734230460872b564871c47f5de62e62d1a68dbe1e"},
    {"post-vanilla-query", "POST", "/?foo=bar", "", "", "/", "foo=bar", "",
     "b6e3b79003ce0743a491606ba1035a804593b0efb1e20a11cba83f8c25a57a92",
     "cd4f39132d8e60bb388831d734230460872b564871c47f5de62e62d1a68dbe1e"},
    {"post-vanilla-query-nonunreserved", "POST", "/?@#$%^&+=/,?><`\";:\\|][{}", "", "", "/",
     "%20=%2F%2C%3F%3E%3C%60%22%3B%3A%5C%7C%5D%5B%7B%7D&%40%23%24%25%5E=", "",
     "28675d93ac1d686ab9988d6617661da4dffe7ba848a2285cb75eac6512e861f9",
     "eb3f16b23b20c91e1b5d6f3cd1c1f8c32a6ddcae6024e44bcfa980fbf8561f6c"},
    {"post-vanilla-query-space", "POST", "/?f", "", "", "/", "f=", "",
     "b7eb653abe5f846e7eee4d1dba33b15419dc424aaf215d49b1240732b10cc4ca",
     "0d5f8ed88e9cd0a2a093e1719fff945e3718d30a6b240b9de994cdf9442c89f5"},
    {"post-vanilla", "POST", "/", "", "", "/", "", "",
     "22902d79e148b64e7571c3565769328423fe276eae4b26f83afceda9e767f726",
     "05da62cee468d24ae84faff3c39f1b85540de60243c1bcaace39c0a2acc7b2c4"},
    {"post-x-www-form-urlencoded-parameters", "POST", "/",
     "Content-Type:application/x-www-form-urlencoded; charset=utf8", "foo=bar", "/", "",
     "content-type:application/x-www-form-urlencoded; charset=utf8",
     "b105eb10c6d318d2294de9d49dd8b031b55e3c3fe139f2e637da70511e9e7b71",
     "c4115f9e54b5cecf192b1eaa23b8e88ed8dc5391bd4fde7b3fff3d9c9fe0af1f"},
    {"post-x-www-form-urlencoded", "POST", "/", "Content-Type:application/x-www-form-urlencoded",
     "foo=bar", "/", "", "content-type:application/x-www-form-urlencoded",
     "5a15b22cf462f047318703b92e6f4f38884e4a7ab7b1d6426ca46a8bd1c26cbc",
     "4c5c6e4b52fb5fb947a8733982a8a5a61b14f04345cbfe6e739236c76dd48f74"},
};

#undef UNRESERVED
#undef TOKEN1
#undef TOKEN2

}  // namespace nexus::test
