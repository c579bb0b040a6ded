/// The bytes of one small transaction and of the dump of the table that it makes, field by field, after the kernel's headers
/// (`linux/netlink.h`, `linux/netfilter/nfnetlink.h`, `linux/netfilter/nf_tables.h`).
///
/// Headers and lengths of attributes have the order of a little-endian host, what is in attributes that of the network. A
/// line is a header, or an attribute with its length, its type and its value; what stands further in is inside of the last
/// one that stands further out.
enum Recording {
  static let text = """
    >
      14 00 00 00 10 0a 01 00 01 00 00 00 00 00 00 00  # NFT_MSG_GETGEN, 20 bytes, REQUEST, number 1
      00 00 00 00  # no family, version 0
    <
      38 00 00 00 0f 0a 00 00 01 00 00 00 00 00 00 00  # NFT_MSG_NEWGEN, 56 bytes, number 1
      00 00 00 01  # no family, version 0, generation 1
      08 00 01 00 00 00 00 01  # NFTA_GEN_ID: 1
      08 00 02 00 00 00 33 cf  # NFTA_GEN_PROC_PID: 13263
      14 00 03 00 70 6f 72 74 63 75 6c 6c 69 73 2d 74 65 73 74 00  # NFTA_GEN_PROC_NAME: "portcullis-test"
    >
      1c 00 00 00 10 00 01 00 02 00 00 00 00 00 00 00  # NFNL_MSG_BATCH_BEGIN, 28 bytes, REQUEST, number 2
      00 00 00 0a  # no family, version 0, NFNL_SUBSYS_NFTABLES
      08 00 01 00 00 00 00 01  # NFNL_BATCH_GENID: 1
      1c 00 00 00 00 0a 01 06 03 00 00 00 00 00 00 00  # NFT_MSG_NEWTABLE, 28 bytes, REQUEST|EXCL|CREATE, number 3
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_TABLE_NAME: "t"
      4c 00 00 00 03 0a 01 06 04 00 00 00 00 00 00 00  # NFT_MSG_NEWCHAIN, 76 bytes, REQUEST|EXCL|CREATE, number 4
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_CHAIN_TABLE: "t"
      06 00 03 00 63 00 00 00  # NFTA_CHAIN_NAME: "c"
      14 00 04 80  # NFTA_CHAIN_HOOK
        08 00 01 00 00 00 00 00  # NFTA_HOOK_HOOKNUM: NF_INET_PRE_ROUTING
        08 00 02 00 ff ff ff 6a  # NFTA_HOOK_PRIORITY: -150
      08 00 05 00 00 00 00 01  # NFTA_CHAIN_POLICY: NF_ACCEPT
      0b 00 07 00 66 69 6c 74 65 72 00 00  # NFTA_CHAIN_TYPE: "filter"
      58 00 00 00 09 0a 01 06 05 00 00 00 00 00 00 00  # NFT_MSG_NEWSET, 88 bytes, REQUEST|EXCL|CREATE, number 5
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_SET_TABLE: "t"
      06 00 02 00 73 00 00 00  # NFTA_SET_NAME: "s"
      08 00 03 00 00 00 00 00  # NFTA_SET_FLAGS: none
      08 00 04 00 00 00 03 0d  # NFTA_SET_KEY_TYPE: inet_proto (12), inet_service (13)
      08 00 05 00 00 00 00 08  # NFTA_SET_KEY_LEN: each padded to 4 bytes
      08 00 0a 00 00 00 00 01  # NFTA_SET_ID: 1
      14 00 0d 00 00 04 00 00 00 00 03 08 00 04 0d 00 00 00 01 00  # NFTA_SET_USERDATA: the parts of the key, for nft(8)
      54 00 00 00 0c 0a 01 06 06 00 00 00 00 00 00 00  # NFT_MSG_NEWSETELEM, 84 bytes, REQUEST|EXCL|CREATE, number 6
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_SET_ELEM_LIST_TABLE: "t"
      06 00 02 00 73 00 00 00  # NFTA_SET_ELEM_LIST_SET: "s"
      08 00 04 00 00 00 00 01  # NFTA_SET_ELEM_LIST_SET_ID: 1
      28 00 03 80  # NFTA_SET_ELEM_LIST_ELEMENTS
        24 00 01 80  # NFTA_LIST_ELEM
          10 00 01 80  # NFTA_SET_ELEM_KEY
            0c 00 01 00 06 00 00 00 00 16 00 00  # NFTA_DATA_VALUE: tcp (6), port 22
          0e 00 06 00 00 08 73 73 68 20 70 3a 34 00 00 00  # NFTA_SET_ELEM_USERDATA: comment (0), 8 bytes: "ssh p:4"
      10 01 00 00 06 0a 05 0c 07 00 00 00 00 00 00 00  # NFT_MSG_NEWRULE, 272 bytes, REQUEST|ACK|CREATE|APPEND, number 7
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_RULE_TABLE: "t"
      06 00 02 00 63 00 00 00  # NFTA_RULE_CHAIN: "c"
      10 00 07 00 00 0a 62 6c 6f 63 6b 20 70 3a 37 00  # NFTA_RULE_USERDATA: comment (0), 10 bytes: "block p:7"
      dc 00 04 80  # NFTA_RULE_EXPRESSIONS
        24 00 01 80  # NFTA_LIST_ELEM
          09 00 01 00 6d 65 74 61 00 00 00 00  # NFTA_EXPR_NAME: "meta"
          14 00 02 80  # NFTA_EXPR_DATA
            08 00 02 00 00 00 00 10  # NFTA_META_KEY: NFT_META_L4PROTO
            08 00 01 00 00 00 00 01  # NFTA_META_DREG: NFT_REG_1
        34 00 01 80  # NFTA_LIST_ELEM
          0c 00 01 00 70 61 79 6c 6f 61 64 00  # NFTA_EXPR_NAME: "payload"
          24 00 02 80  # NFTA_EXPR_DATA
            08 00 01 00 00 00 00 09  # NFTA_PAYLOAD_DREG: the word behind it
            08 00 02 00 00 00 00 02  # NFTA_PAYLOAD_BASE: NFT_PAYLOAD_TRANSPORT_HEADER
            08 00 03 00 00 00 00 02  # NFTA_PAYLOAD_OFFSET: the destination port
            08 00 04 00 00 00 00 02  # NFTA_PAYLOAD_LEN: 2
        24 00 01 80  # NFTA_LIST_ELEM
          0b 00 01 00 6c 6f 6f 6b 75 70 00 00  # NFTA_EXPR_NAME: "lookup"
          14 00 02 80  # NFTA_EXPR_DATA
            08 00 02 00 00 00 00 01  # NFTA_LOOKUP_SREG: NFT_REG_1, both words
            06 00 01 00 73 00 00 00  # NFTA_LOOKUP_SET: "s"
        2c 00 01 80  # NFTA_LIST_ELEM
          0c 00 01 00 63 6f 75 6e 74 65 72 00  # NFTA_EXPR_NAME: "counter"
          1c 00 02 80  # NFTA_EXPR_DATA
            0c 00 01 00 00 00 00 00 00 00 00 00  # NFTA_COUNTER_BYTES: 0
            0c 00 02 00 00 00 00 00 00 00 00 00  # NFTA_COUNTER_PACKETS: 0
        30 00 01 80  # NFTA_LIST_ELEM
          0e 00 01 00 69 6d 6d 65 64 69 61 74 65 00 00 00  # NFTA_EXPR_NAME: "immediate"
          1c 00 02 80  # NFTA_EXPR_DATA
            08 00 01 00 00 00 00 00  # NFTA_IMMEDIATE_DREG: NFT_REG_VERDICT
            10 00 02 80  # NFTA_IMMEDIATE_DATA
              0c 00 02 80  # NFTA_DATA_VERDICT
                08 00 01 00 00 00 00 00  # NFTA_VERDICT_CODE: NF_DROP
      14 00 00 00 11 00 01 00 08 00 00 00 00 00 00 00  # NFNL_MSG_BATCH_END, 20 bytes, REQUEST, number 8
      00 00 00 0a  # no family, version 0, NFNL_SUBSYS_NFTABLES
    <
      24 00 00 00 02 00 00 01 07 00 00 00 00 00 00 00  # NLMSG_ERROR, 36 bytes, CAPPED, number 7
      00 00 00 00  # error 0: done
      10 01 00 00  # what it is about: 272 bytes
      06 0a 05 0c  # NFT_MSG_NEWRULE and its flags
      07 00 00 00 00 00 00 00  # number 7
    >
      14 00 00 00 10 0a 01 00 09 00 00 00 00 00 00 00  # NFT_MSG_GETGEN, 20 bytes, REQUEST, number 9
      00 00 00 00  # no family, version 0
    <
      38 00 00 00 0f 0a 00 00 09 00 00 00 00 00 00 00  # NFT_MSG_NEWGEN, 56 bytes, number 9
      00 00 00 02  # no family, version 0, generation 2
      08 00 01 00 00 00 00 02  # NFTA_GEN_ID: 2
      08 00 02 00 00 00 33 cf  # NFTA_GEN_PROC_PID: 13263
      14 00 03 00 70 6f 72 74 63 75 6c 6c 69 73 2d 74 65 73 74 00  # NFTA_GEN_PROC_NAME: "portcullis-test"
    >
      14 00 00 00 01 0a 01 03 0a 00 00 00 00 00 00 00  # NFT_MSG_GETTABLE, 20 bytes, REQUEST|DUMP, number 10
      01 00 00 00  # family inet, version 0
    <
      38 00 00 00 00 0a 02 00 0a 00 00 00 00 00 00 00  # NFT_MSG_NEWTABLE, 56 bytes, MULTI, number 10
      01 00 00 02  # family inet, version 0, generation 2
      06 00 01 00 74 00 00 00  # NFTA_TABLE_NAME: "t"
      08 00 03 00 00 00 00 02  # NFTA_TABLE_USE: 2
      0c 00 04 00 00 00 00 00 00 00 00 01  # NFTA_TABLE_HANDLE: 1
      08 00 02 00 00 00 00 00  # NFTA_TABLE_FLAGS: 0
    <
      14 00 00 00 03 00 02 00 0a 00 00 00 00 00 00 00  # NLMSG_DONE, 20 bytes, MULTI, number 10
      00 00 00 00  # error 0
    >
      1c 00 00 00 04 0a 01 03 0b 00 00 00 00 00 00 00  # NFT_MSG_GETCHAIN, 28 bytes, REQUEST|DUMP, number 11
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_CHAIN_TABLE: "t"
    <
      68 00 00 00 03 0a 02 00 0b 00 00 00 00 00 00 00  # NFT_MSG_NEWCHAIN, 104 bytes, MULTI, number 11
      01 00 00 02  # family inet, version 0, generation 2
      06 00 01 00 74 00 00 00  # NFTA_CHAIN_TABLE: "t"
      06 00 03 00 63 00 00 00  # NFTA_CHAIN_NAME: "c"
      0c 00 02 00 00 00 00 00 00 00 00 01  # NFTA_CHAIN_HANDLE: 1
      14 00 04 00  # NFTA_CHAIN_HOOK
        08 00 01 00 00 00 00 00  # NFTA_HOOK_HOOKNUM: NF_INET_PRE_ROUTING
        08 00 02 00 ff ff ff 6a  # NFTA_HOOK_PRIORITY: -150
      08 00 05 00 00 00 00 01  # NFTA_CHAIN_POLICY: NF_ACCEPT
      0b 00 07 00 66 69 6c 74 65 72 00 00  # NFTA_CHAIN_TYPE: "filter"
      08 00 0a 00 00 00 00 01  # NFTA_CHAIN_FLAGS: NFT_CHAIN_BASE
      08 00 06 00 00 00 00 01  # NFTA_CHAIN_USE: 1
    <
      14 00 00 00 03 00 02 00 0b 00 00 00 00 00 00 00  # NLMSG_DONE, 20 bytes, MULTI, number 11
      00 00 00 00  # error 0
    >
      1c 00 00 00 0a 0a 01 03 0c 00 00 00 00 00 00 00  # NFT_MSG_GETSET, 28 bytes, REQUEST|DUMP, number 12
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_SET_TABLE: "t"
    <
      78 00 00 00 09 0a 02 00 0c 00 00 00 00 00 00 00  # NFT_MSG_NEWSET, 120 bytes, MULTI, number 12
      01 00 00 02  # family inet, version 0, generation 2
      06 00 01 00 74 00 00 00  # NFTA_SET_TABLE: "t"
      06 00 02 00 73 00 00 00  # NFTA_SET_NAME: "s"
      0c 00 10 00 00 00 00 00 00 00 00 02  # NFTA_SET_HANDLE: 2
      08 00 04 00 00 00 03 0d  # NFTA_SET_KEY_TYPE: inet_proto (12), inet_service (13)
      08 00 05 00 00 00 00 08  # NFTA_SET_KEY_LEN: each padded to 4 bytes
      14 00 0d 00 00 04 00 00 00 00 03 08 00 04 0d 00 00 00 01 00  # NFTA_SET_USERDATA: the parts of the key, for nft(8)
      04 00 09 00  # NFTA_SET_DESC: 0
      17 00 13 00 30 78 66 66 66 66 66 66 66 66 38 32 35 30 37 66 34 30 00 00  # NFTA_SET_TYPE: "0xffffffff82507f40"
      08 00 14 00 00 00 00 01  # NFTA_SET_COUNT: 1
    <
      14 00 00 00 03 00 02 00 0c 00 00 00 00 00 00 00  # NLMSG_DONE, 20 bytes, MULTI, number 12
      00 00 00 00  # error 0
    >
      24 00 00 00 0d 0a 01 03 0d 00 00 00 00 00 00 00  # NFT_MSG_GETSETELEM, 36 bytes, REQUEST|DUMP, number 13
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_SET_ELEM_LIST_TABLE: "t"
      06 00 02 00 73 00 00 00  # NFTA_SET_ELEM_LIST_SET: "s"
    <
      4c 00 00 00 0c 0a 02 00 0d 00 00 00 00 00 00 00  # NFT_MSG_NEWSETELEM, 76 bytes, MULTI, number 13
      01 00 00 02  # family inet, version 0, generation 2
      06 00 01 00 74 00 00 00  # NFTA_SET_ELEM_LIST_TABLE: "t"
      06 00 02 00 73 00 00 00  # NFTA_SET_ELEM_LIST_SET: "s"
      28 00 03 00  # NFTA_SET_ELEM_LIST_ELEMENTS
        24 00 01 00  # NFTA_LIST_ELEM
          10 00 01 00  # NFTA_SET_ELEM_KEY
            0c 00 01 00 06 00 00 00 00 16 00 00  # NFTA_DATA_VALUE: tcp (6), port 22
          0e 00 06 00 00 08 73 73 68 20 70 3a 34 00 00 00  # NFTA_SET_ELEM_USERDATA: comment (0), 8 bytes: "ssh p:4"
    <
      28 00 00 00 0c 0a 02 00 0d 00 00 00 00 00 00 00  # NFT_MSG_NEWSETELEM, 40 bytes, MULTI, number 13
      01 00 00 02  # family inet, version 0, generation 2
      06 00 01 00 74 00 00 00  # NFTA_SET_ELEM_LIST_TABLE: "t"
      06 00 02 00 73 00 00 00  # NFTA_SET_ELEM_LIST_SET: "s"
      04 00 03 00  # NFTA_SET_ELEM_LIST_ELEMENTS
      14 00 00 00 03 00 02 00 0d 00 00 00 00 00 00 00  # NLMSG_DONE, 20 bytes, MULTI, number 13
      00 00 00 00  # error 0
    >
      1c 00 00 00 07 0a 01 03 0e 00 00 00 00 00 00 00  # NFT_MSG_GETRULE, 28 bytes, REQUEST|DUMP, number 14
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_RULE_TABLE: "t"
    <
      24 01 00 00 06 0a 02 08 0e 00 00 00 00 00 00 00  # NFT_MSG_NEWRULE, 292 bytes, MULTI, number 14
      01 00 00 02  # family inet, version 0, generation 2
      06 00 01 00 74 00 00 00  # NFTA_RULE_TABLE: "t"
      06 00 02 00 63 00 00 00  # NFTA_RULE_CHAIN: "c"
      0c 00 03 00 00 00 00 00 00 00 00 03  # NFTA_RULE_HANDLE: 3
      e4 00 04 00  # NFTA_RULE_EXPRESSIONS
        24 00 01 00  # NFTA_LIST_ELEM
          09 00 01 00 6d 65 74 61 00 00 00 00  # NFTA_EXPR_NAME: "meta"
          14 00 02 00  # NFTA_EXPR_DATA
            08 00 02 00 00 00 00 10  # NFTA_META_KEY: NFT_META_L4PROTO
            08 00 01 00 00 00 00 01  # NFTA_META_DREG: NFT_REG_1
        34 00 01 00  # NFTA_LIST_ELEM
          0c 00 01 00 70 61 79 6c 6f 61 64 00  # NFTA_EXPR_NAME: "payload"
          24 00 02 00  # NFTA_EXPR_DATA
            08 00 01 00 00 00 00 09  # NFTA_PAYLOAD_DREG: the word behind it
            08 00 02 00 00 00 00 02  # NFTA_PAYLOAD_BASE: NFT_PAYLOAD_TRANSPORT_HEADER
            08 00 03 00 00 00 00 02  # NFTA_PAYLOAD_OFFSET: the destination port
            08 00 04 00 00 00 00 02  # NFTA_PAYLOAD_LEN: 2
        2c 00 01 00  # NFTA_LIST_ELEM
          0b 00 01 00 6c 6f 6f 6b 75 70 00 00  # NFTA_EXPR_NAME: "lookup"
          1c 00 02 00  # NFTA_EXPR_DATA
            06 00 01 00 73 00 00 00  # NFTA_LOOKUP_SET: "s"
            08 00 02 00 00 00 00 01  # NFTA_LOOKUP_SREG: NFT_REG_1, both words
            08 00 05 00 00 00 00 00  # NFTA_LOOKUP_FLAGS: not inverted
        2c 00 01 00  # NFTA_LIST_ELEM
          0c 00 01 00 63 6f 75 6e 74 65 72 00  # NFTA_EXPR_NAME: "counter"
          1c 00 02 00  # NFTA_EXPR_DATA
            0c 00 01 00 00 00 00 00 00 00 00 00  # NFTA_COUNTER_BYTES: 0
            0c 00 02 00 00 00 00 00 00 00 00 00  # NFTA_COUNTER_PACKETS: 0
        30 00 01 00  # NFTA_LIST_ELEM
          0e 00 01 00 69 6d 6d 65 64 69 61 74 65 00 00 00  # NFTA_EXPR_NAME: "immediate"
          1c 00 02 00  # NFTA_EXPR_DATA
            08 00 01 00 00 00 00 00  # NFTA_IMMEDIATE_DREG: NFT_REG_VERDICT
            10 00 02 00  # NFTA_IMMEDIATE_DATA
              0c 00 02 00  # NFTA_DATA_VERDICT
                08 00 01 00 00 00 00 00  # NFTA_VERDICT_CODE: NF_DROP
      10 00 07 00 00 0a 62 6c 6f 63 6b 20 70 3a 37 00  # NFTA_RULE_USERDATA: comment (0), 10 bytes: "block p:7"
    <
      14 00 00 00 03 00 02 00 0e 00 00 00 00 00 00 00  # NLMSG_DONE, 20 bytes, MULTI, number 14
      00 00 00 00  # error 0
    >
      1c 00 00 00 13 0a 01 03 0f 00 00 00 00 00 00 00  # NFT_MSG_GETOBJ, 28 bytes, REQUEST|DUMP, number 15
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_OBJ_TABLE: "t"
    <
      14 00 00 00 03 00 02 00 0f 00 00 00 00 00 00 00  # NLMSG_DONE, 20 bytes, MULTI, number 15
      00 00 00 00  # error 0
    >
      1c 00 00 00 17 0a 01 03 10 00 00 00 00 00 00 00  # NFT_MSG_GETFLOWTABLE, 28 bytes, REQUEST|DUMP, number 16
      01 00 00 00  # family inet, version 0
      06 00 01 00 74 00 00 00  # NFTA_FLOWTABLE_TABLE: "t"
    <
      14 00 00 00 03 00 02 00 10 00 00 00 00 00 00 00  # NLMSG_DONE, 20 bytes, MULTI, number 16
      00 00 00 00  # error 0
    >
      14 00 00 00 10 0a 01 00 11 00 00 00 00 00 00 00  # NFT_MSG_GETGEN, 20 bytes, REQUEST, number 17
      00 00 00 00  # no family, version 0
    <
      38 00 00 00 0f 0a 00 00 11 00 00 00 00 00 00 00  # NFT_MSG_NEWGEN, 56 bytes, number 17
      00 00 00 02  # no family, version 0, generation 2
      08 00 01 00 00 00 00 02  # NFTA_GEN_ID: 2
      08 00 02 00 00 00 33 cf  # NFTA_GEN_PROC_PID: 13263
      14 00 03 00 70 6f 72 74 63 75 6c 6c 69 73 2d 74 65 73 74 00  # NFTA_GEN_PROC_NAME: "portcullis-test"
    """
}
