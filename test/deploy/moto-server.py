# moto's server, with what its CloudFormation does not know of this stack and the tests look at.

import json
import sys

from moto.apigateway.models import apigateway_backends
from moto.cloudformation.parsing import ResourceMap
from moto.core.common_models import CloudFormationModel
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import main


class Secret(CloudFormationModel):
    """AWS::SecretsManager::Secret, made through moto's own Secrets Manager as GenerateSecretString asks."""

    # moto reads the service from the second part of the module's name.
    __module__ = "moto.secretsmanager.models"

    def __init__(self, arn):
        self.arn = arn

    @property
    def physical_resource_id(self):
        return self.arn

    @staticmethod
    def cloudformation_name_type():
        return "Name"

    @staticmethod
    def cloudformation_type():
        return "AWS::SecretsManager::Secret"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        generate = properties["GenerateSecretString"]
        backend = secretsmanager_backends[account_id][region_name]
        password = backend.get_random_password(
            password_length=generate["PasswordLength"],
            exclude_characters="",
            exclude_numbers=False,
            exclude_punctuation=generate["ExcludePunctuation"],
            exclude_uppercase=False,
            exclude_lowercase=False,
            include_space=False,
            require_each_included_type=True,
        )
        value = json.loads(generate["SecretStringTemplate"])
        value[generate["GenerateStringKey"]] = json.loads(password)["RandomPassword"]
        created = backend.create_secret(
            name=resource_name,
            secret_string=json.dumps(value),
            secret_binary=None,
            description=properties["Description"],
            tags=[],
            kms_key_id=properties.get("KmsKeyId"),
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        return cls(json.loads(created)["ARN"])

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name
    ):
        secretsmanager_backends[account_id][region_name].delete_secret(
            secret_id=resource_name,
            recovery_window_in_days=None,
            force_delete_without_recovery=True,
        )


class ApiStage(CloudFormationModel):
    """AWS::ApiGateway::Stage: its name is part of the API's address."""

    __module__ = "moto.apigateway.models"

    def __init__(self, name):
        self.name = name

    @property
    def physical_resource_id(self):
        return self.name

    @staticmethod
    def cloudformation_name_type():
        return "StageName"

    @staticmethod
    def cloudformation_type():
        return "AWS::ApiGateway::Stage"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        apigateway_backends[account_id][region_name].create_stage(
            properties["RestApiId"],
            properties["StageName"],
            # A Ref to a deployment gives moto's own object of it.
            properties["DeploymentId"].id,
            tracing_enabled=properties.get("TracingEnabled"),
        )
        return cls(properties["StageName"])

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name
    ):
        # The API takes its stages with it.
        pass


delete_resources = ResourceMap.delete


def delete_but_retain(resource_map):
    """RetainExceptOnCreate, which differs from Retain only for a first deployment that fails."""
    for resource in resource_map._resource_json_map.values():
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
            resource["DeletionPolicy"] = "Retain"
    delete_resources(resource_map)


ResourceMap.delete = delete_but_retain

main(sys.argv[1:])
