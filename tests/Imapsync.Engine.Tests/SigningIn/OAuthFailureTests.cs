using System.Net;
using System.Text.Json;
using Duende.IdentityModel.Client;
using Imapsync.Engine.SigningIn;

namespace Imapsync.Engine.Tests.SigningIn;

/// <summary>The text that is reported when an authorization server refuses.</summary>
public sealed class OAuthFailureTests
{
    /// <summary>
    /// The server's text is shortened before it is reported, so it may end within a refresh token. Even then, no part of the token may be
    /// shown.
    /// </summary>
    [Theory]
    [InlineData(40)]
    [InlineData(299)]
    [InlineData(2000)]
    public async Task A_secret_that_the_answer_repeats_is_blotted_out_wherever_it_stands(int length)
    {
        var secret = string.Concat(Enumerable.Range(0, length).Select(i => (char)('A' + (i % 26))));
        for (var before = 0; before < 320; before += 7)
        {
            var description = $"{new string('-', before)} {secret} is no more";
            using var answer = new HttpResponseMessage(HttpStatusCode.BadRequest)
            {
                Content = new StringContent(JsonSerializer.Serialize(new Dictionary<string, string> { ["error"] = "invalid_grant", ["error_description"] = description })),
            };
            var failure = OAuthFailure.Of(await ProtocolResponse.FromHttpResponseAsync<TokenResponse>(answer), "no sign-in", _ => "", secret);
            Assert.Contains("the sign-in is over", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(secret[..6], failure.ToString(), StringComparison.Ordinal);
        }
    }
}
