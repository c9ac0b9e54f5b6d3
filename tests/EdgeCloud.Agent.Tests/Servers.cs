using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests;

/// <summary>The real servers, started once for the tests that need them.</summary>
[CollectionDefinition(Name)]
public sealed class Servers : ICollectionFixture<S3Server>, ICollectionFixture<MosquittoBroker>
{
    public const string Name = "servers";
}
