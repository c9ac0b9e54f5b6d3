using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests;

/// <summary>
/// The tests that share one control plane. There must be no second one of another catalogue at the same broker: it would be taken for a
/// replica and be given a share of the robots' messages. They run alone, since some of them stop a server.
/// </summary>
[CollectionDefinition(nameof(ControlPlaneCollection), DisableParallelization = true)]
public sealed class ControlPlaneCollection : ICollectionFixture<ControlPlaneProcess>;
