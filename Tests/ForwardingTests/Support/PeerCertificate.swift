// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A certificate that nobody trusts, for `mx.example.net`, and its key; made for these tests.
enum PeerCertificate {
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBpDCCAUqgAwIBAgIUML2IOBx+WBhaZy0QQdG58p7/QvIwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwObXguZXhhbXBsZS5uZXQwIBcNMjYxMTIzMjMyMzQ5WhgPMjEy
        NjEwMzAyMzIzNDlaMBkxFzAVBgNVBAMMDm14LmV4YW1wbGUubmV0MFkwEwYHKoZI
        zj0CAQYIKoZIzj0DAQcDQgAEPRD42S2vA+SHyxQeQsBuwblwHTLDAAScIlsgYMRI
        YsAddVvNgMDypRGexKGzqWz/EmrOoiRYLKbGwuDbO8KKxaNuMGwwHQYDVR0OBBYE
        FGWEkE6GPrmoqeyjEqpdfwjJ0hRSMB8GA1UdIwQYMBaAFGWEkE6GPrmoqeyjEqpd
        fwjJ0hRSMA8GA1UdEwEB/wQFMAMBAf8wGQYDVR0RBBIwEIIObXguZXhhbXBsZS5u
        ZXQwCgYIKoZIzj0EAwIDSAAwRQIgC+4QpLQHwpbqVNb0FsH4i8fPgl8al+BHScf1
        +KAg9ZcCIQD5WimqqmFywYoA2Pco3VZEziqD7n0axw0g6OjdFhCAHA==
        -----END CERTIFICATE-----
        """
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgqtU/F9gXSPepli1K
        tkcuXiIytwHJt0HUwTzFFhj7OxShRANCAAQ9EPjZLa8D5IfLFB5CwG7BuXAdMsMA
        BJwiWyBgxEhiwB11W82AwPKlEZ7EobOpbP8Sas6iJFgspsbC4Ns7worF
        -----END PRIVATE KEY-----
        """
}
