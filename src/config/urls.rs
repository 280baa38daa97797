//! PD's addresses as people write them.

use crate::error::{Error, Result};

/// A comma separated list of `http(s)://host:port`; `host:port` alone means `http`, as it does for binlogctl. White
/// space around them and a slash at the end do no harm.
///
/// # Errors
/// `invalid`, naming the address that is none and why.
pub fn pd_urls(text: &str) -> Result<Vec<String>> {
    let urls: Vec<String> =
        text.split(',').map(str::trim).filter(|url| !url.is_empty()).map(pd_url).collect::<Result<_>>()?;
    match urls.is_empty() {
        false => Ok(urls),
        true => Err(Error::invalid("no address of PD is given").hint("write it as `http://host:2379`")),
    }
}

fn pd_url(url: &str) -> Result<String> {
    let bad = |why: &str| {
        Error::invalid(format!("`{url}` is no address of PD: {why}"))
            .hint("write it as `http://host:2379`, or `https://host:2379` with TLS; several separated by commas")
    };
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    if !matches!(scheme, "http" | "https") {
        return Err(bad("it does not begin with http:// or https://"));
    }
    let address = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = address.rsplit_once(':').ok_or_else(|| bad("it has no port"))?;
    if port.parse::<u16>().map_or(true, |port| port == 0) {
        return Err(bad("its port is no number from 1 to 65535"));
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')),
    };
    match is_host {
        true => Ok(format!("{scheme}://{address}")),
        false => Err(bad("its host is no name or address")),
    }
}
