# The same as app.py, for Perl's servers.
my @lines = map { sprintf "%07d\n", $_ } 0 .. 124_999;
my ($upload, $tail) = (join('', @lines[0 .. 49_999]), join('', @lines));

sub {
    my $refused = $_[0]->{REQUEST_METHOD} eq 'POST';
    my $body    = $refused ? $upload : $tail;
    [$refused ? 413 : 200, ['Content-Type' => 'text/plain', 'Content-Length' => length $body], [$body]];
};
