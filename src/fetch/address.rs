//! Which addresses belong to the open internet. What isn't known to is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are somebody's own, or nobody's (IANA's registry of special-purpose addresses, and one more), with
/// the bits that they are known by.
const CLOSED: [([u8; 4], u32); 17] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    // Between providers and their customers.
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Link-local; 169.254.169.254 hands out a cloud's secrets.
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, and what was kept for later with the broadcast address at its end.
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
    // Looks public, and is the inside of Azure.
    ([168, 63, 129, 16], 32),
    // The same of Oracle's cloud and of Alibaba's is in the networks above; AS112 answers for private names.
    ([192, 175, 48, 0], 24),
];

/// Whether an address is one of the open internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !CLOSED.iter().any(|(network, length)| {
        let mask = u32::MAX << (32 - length);
        bits & mask == u32::from_be_bytes(*network)
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    let embedded = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    match s {
        // A network without IPv4 reaches it through this prefix (RFC 6052): the address inside counts.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(embedded(high, low)),
        // Documentation; IETF's own, with Teredo in it, which carries an IPv4 address; 6to4, which does too; documentation
        // once more; ISATAP, an IPv4 address behind any prefix.
        [0x2001, 0x0db8 | 0..=0x01ff, ..]
        | [0x2002, ..]
        | [0x3fff, 0..=0x0fff, ..]
        | [_, _, _, _, 0 | 0x0200, 0x5efe, ..] => false,
        // What has been given out so far. Outside lie loopback, mapped and compatible IPv4, unique local, link-local,
        // site-local and multicast addresses.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: [&str; 74] = [
        "0.0.0.0",
        "0.0.0.1",
        "0.255.255.255",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.0.0.2",
        "127.1.2.3",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "169.254.255.255",
        "172.16.0.1",
        "172.17.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.1.1",
        "192.168.255.255",
        "192.175.48.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::2",
        "::127.0.0.1",
        "::10.0.0.1",
        "::93.184.216.34",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:192.168.1.1",
        "::ffff:93.184.216.34",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::127.0.0.1",
        "64:ff9b:1::93.184.216.34",
        "100::1",
        "2001::1",
        "2001:0:7f00:1::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "2002:5db8:d822::1",
        "2a00:1450:4001:80b:0:5efe:7f00:1",
        "2a00:1450:4001:80b:200:5efe:a00:1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fdff:ffff::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ];

    const TAKEN: [&str; 14] = [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.1",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "198.20.0.1",
        "223.255.255.255",
        "64:ff9b::93.184.216.34",
        "2606:2800:220:1::1",
        "2a00:1450:4001:80b::200e",
    ];

    #[test]
    fn what_is_not_of_the_open_internet_is_refused() {
        for address in REFUSED {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_lies_right_beside_is_taken() {
        for address in TAKEN {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
